#!/bin/bash
# Commands on several containers print each name as it was typed; one that fails does not stop the others.
. "$(dirname "$0")/../../lib.sh"
need_image
a=$(start --name a "$IMG" sleep 100)
start --name b "$IMG" sleep 100 >/dev/null
minke create --name c --network none "$IMG" true >/dev/null

expect_exit 125 minke kill -s CONT a no-such "${a:0:8}"
assert_eq a "$out"
assert_match 'no such container' "$err"
ok minke stop -t 0 a b
assert_eq $'a\nb' "$out"
expect_exit 125 minke stop no-such c
assert_eq c "$out"
ok minke start a b
assert_eq $'a\nb' "$out"
ok minke restart -t 0 a
assert_eq a "$out"
expect_exit 2 minke rm a c
assert_eq c "$out"
assert_match 'without force' "$err"
ok minke stop -t 0 --all
assert_eq 2 "$(wc -l <<<"$out")"
expect_exit 1 minke rm "${a:0:12}" b no-such
assert_eq "${a:0:12}"$'\nb' "$out"
