#!/bin/bash
# wait prints exit codes in order; also of those that ended before.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name a "$IMG" sh -c 'sleep 1; exit 3' >/dev/null
start --name b "$IMG" sh -c 'exit 4' >/dev/null

ok minke wait a b
assert_eq $'3\n4' "$out"
ok minke wait b
assert_eq 4 "$out"
expect_exit 125 minke wait no-such
assert_match 'no such container' "${err,,}"
