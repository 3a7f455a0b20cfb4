#!/bin/bash
# rm refuses a running container, -f removes it; several at once; a missing one is told.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name a "$IMG" sleep 100 >/dev/null
minke create --name b "$IMG" true >/dev/null

expect_exit 2 minke rm a
assert_match 'running' "$err"
ok minke rm -f -t 0 a b
ok minke ps -aq
assert_eq '' "$out"
expect_exit 1 minke rm no-such
assert_match 'no such container' "${err,,}"
ok minke rm -f no-such
ok minke rm --ignore no-such
