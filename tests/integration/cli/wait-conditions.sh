#!/bin/bash
# wait: conditions, missing ones, the first of several.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name long "$IMG" sleep 100 >/dev/null
start --name short "$IMG" sh -c 'sleep 1; exit 5' >/dev/null

ok minke wait --condition running long
assert_eq -1 "$out"
ok minke wait --exit-first-match long short
assert_eq 5 "$out"
ok minke wait --ignore no-such short
assert_eq $'-1\n5' "$out"
ok minke wait short short
assert_eq $'5\n5' "$out"
assert_error 125 'unknown container state' minke wait --condition odd long
assert_error 125 'invalid duration' minke wait --interval x long
assert_error 125 'requires a name, id' minke wait
