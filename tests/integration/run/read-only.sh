#!/bin/bash
# --read-only: the root cannot be written, /tmp, /run and /dev/shm can.
. "$(dirname "$0")/../../lib.sh"
need_image

expect_exit 1 run --read-only "$IMG" touch /file
assert_match 'Read-only file system' "$err"
ok run --read-only "$IMG" sh -c 'touch /tmp/a /run/b /dev/shm/c && echo written'
assert_eq written "$out"
expect_exit 1 run --read-only --read-only-tmpfs=false "$IMG" touch /run/b
