#!/bin/bash
# The command is process 1; with --pid host it sees the host's processes.
. "$(dirname "$0")/../../lib.sh"
need_image

ok run "$IMG" sh -c 'echo $$'
assert_eq 1 "$out"
sleep 987 &
ok run --pid host "$IMG" sh -c 'ps -o pid,args | grep "[s]leep 987"'
assert_match 'sleep 987' "$out"
