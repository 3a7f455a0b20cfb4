#!/bin/bash
# system migrate and renumber have nothing to do and say so; connections are refused by name.
. "$(dirname "$0")/../../lib.sh"

ok minke system migrate
assert_match 'nothing to migrate' "$err"
ok minke system renumber
assert_match 'nothing to renumber' "$err"
assert_error 125 'runtime of a container is chosen when it is made' minke system migrate --new-runtime crun
assert_error 125 'no client mode' minke system connection list
ok minke system info --format '{{.Host.OS}}'
assert_eq linux "$out"
