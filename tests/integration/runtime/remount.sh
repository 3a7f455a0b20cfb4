#!/bin/bash
# The mount option "remount": of a bind its attributes, of a file system its options too; by the new mount calls and by the old.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-runtime.sh"

mkdir "$T/data"
bundle b '.process.args = ["sh", "-c", "grep -E \" /(x|y) \" /proc/self/mounts; touch /x/f; touch /y/f"] | .mounts += [
  {"destination": "/x", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k", "nosuid"]},
  {"destination": "/x", "type": "tmpfs", "source": "tmpfs", "options": ["remount", "size=128k", "noexec"]},
  {"destination": "/y", "type": "bind", "source": "'"$T/data"'", "options": ["bind", "rw"]},
  {"destination": "/y", "type": "none", "options": ["bind", "remount", "ro"]}]'
for api in 0 $(is_root && echo 1); do # without mount_setattr a user has no /sys
  export MINKE_OLD_MOUNT_API=$api
  expect_exit 1 rt run --bundle "$T/b" "b$api"
  assert_match ' /x tmpfs rw,nosuid,noexec.*size=128k' "$out"
  assert_match ' /y [^ ]* ro' "$out"
  assert_match 'touch: /y/f: Read-only file system' "$err"
done
# nothing of that name is mounted
bundle c '.process.args = ["true"] | .mounts += [{"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["remount", "size=1m"]}]'
assert_error 1 '/tmp' rt run --bundle "$T/c" c
