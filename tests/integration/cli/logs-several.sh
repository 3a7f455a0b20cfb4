#!/bin/bash
# logs of several containers: each line says whose it is.
. "$(dirname "$0")/../../lib.sh"
need_image
a=$(minke create --name a --network none "$IMG" echo one)
minke create --name b --network none "$IMG" sh -c 'echo two >&2' >/dev/null
ok minke start -a a
ok minke start -a b

ok minke logs a b
assert_eq "${a:0:12} one" "$out"
assert_match '^[0-9a-f]{12} two$' "$err"
ok minke logs --names a b
assert_eq 'a one' "$out"
assert_eq 'b two' "$err"
ok minke logs --names --follow a b
assert_eq 'a one' "$out"
ok minke logs -l
assert_eq two "$err"
ok minke logs --color --names a b
assert_match $'\033\\[3[0-9]ma \033\\[0mone' "$out"
assert_error 125 'specify at least one' minke logs
assert_error 125 'unable to interpret time value' minke logs --since odd a
