#!/bin/bash
# create makes it, start runs it, start -a shows its output and code.
. "$(dirname "$0")/../../lib.sh"
need_image
ok minke create --name c --network none "$IMG" sh -c 'echo hello; exit 6'
assert_eq created "$(state_of c)"

expect_exit 6 minke start -a c
assert_eq hello "$out"
assert_eq exited "$(state_of c)"
ok minke start c
assert_eq c "$out"
within 20 is_exited c
