#!/bin/bash
# create, start, state, kill, delete and list walk through the states of the specification.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-runtime.sh"
bundle b '.process.args = ["sleep", "100"]'

ok rt create --bundle "$T/b" --pid-file "$T/pid" c </dev/null
assert_eq created "$(rt state c | jq -r .status)"
assert_eq "$(cat "$T/pid")" "$(rt state c | jq .pid)" pid
assert_error 1 'container c exists' rt create --bundle "$T/b" c
ok rt start c
assert_eq running "$(rt state c | jq -r .status)"
assert_error 1 'c is running, not created' rt start c
assert_error 1 'not stopped' rt delete c
ok rt list -q
assert_eq c "$out"
ok rt list -f json
assert_eq "$T/b" "$(field "$out" '.[0].bundle')"
ok rt kill c KILL
within 20 eval '[ "$(rt state c | jq -r .status)" = stopped ]'
assert_error 1 'not running' rt kill c TERM
ok rt delete c
assert_error 1 'does not exist' rt state c
ok rt delete --force c
