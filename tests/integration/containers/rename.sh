#!/bin/bash
# rename gives a container another name, running or not; the old one is free at once.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name one "$IMG" sleep 1000 >/dev/null
minke create --network none --name two "$IMG" true >/dev/null
ok minke rename one new
assert_eq '' "$out"
assert_eq 'new two' "$(minke ps -a --format '{{.Names}}' | sort | xargs)"
assert_eq new "$(minke inspect -f '{{.Name}}' new)"
expect_exit 1 minke container exists one
ok minke exec new true
ok minke rename two one
assert_error 125 'renaming container [0-9a-f]{64}: name new already in use, cannot rename container [0-9a-f]{64}: container already exists' minke rename one new
assert_error 125 'names must match \[a-zA-Z0-9\]\[a-zA-Z0-9_.-\]\*: invalid argument' minke rename one 'x y'
assert_error 125 'accepts 2 arg\(s\), received 1' minke rename one
ok minke rename one one
