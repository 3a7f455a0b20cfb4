#!/bin/bash
# Containers are chosen by --all, --latest, --filter and --cidfile; nonsense is refused.
. "$(dirname "$0")/../../lib.sh"
need_image
a=$(minke create --name a --network none -l k=1 --cidfile ida "$IMG" sleep 100)
b=$(minke create --name b --network none -l k=2 "$IMG" sleep 100)
assert_eq "$a" "$(cat ida)"

ok minke start --filter label=k=1
assert_eq "$a" "$out"
ok minke start --latest
assert_eq "$b" "$out"
ok minke stop -t 0 --cidfile ida
assert_eq "$a" "$out"
ok minke kill --all
assert_eq "$b" "$out"
ok minke rm -f --filter label=k=2
assert_eq "$b" "$out"
ok minke rm --cidfile ida
assert_eq "$a" "$out"
ok minke rm --all
assert_eq '' "$out"
ok minke rm --ignore --cidfile ida
expect_exit 1 minke rm --latest

assert_error 125 'at least one name or id' minke rm
assert_error 125 'no arguments are needed with --all' minke stop -a x
assert_error 125 '--all and --latest cannot be used together' minke stop -a -l
assert_error 125 'cannot be used together' minke kill -l x
assert_error 125 'container id file exists' minke create --cidfile ida --network none "$IMG" true
