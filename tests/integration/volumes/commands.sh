#!/bin/bash
# volume create, ls, inspect, exists, prune, with labels and filters.
. "$(dirname "$0")/../../lib.sh"
ok minke volume create --label a=1 one
assert_eq one "$out"
ok minke volume create
assert_match '^[0-9a-f]{64}$' "$out"
ok minke volume ls --filter label=a=1 --format '{{.Name}} {{.Driver}}'
assert_eq 'one local' "$out"
ok minke volume inspect one
assert_eq 'one local 1' "$(field "$out" '.[0] | "\(.Name) \(.Driver) \(.Labels.a)"')"
ok minke volume exists one
expect_exit 1 minke volume exists none
expect_exit 125 minke volume create one
assert_match 'already exists' "$err"
ok minke volume rm -a
ok minke volume ls -q
assert_eq '' "$out"
