#!/bin/bash
# A container has a session keyring of its own; with --no-new-keyring it keeps its caller's.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-runtime.sh"
[ -r /proc/keys ] || skip 'this kernel shows no keys'

bundle b '.linux.maskedPaths = [] | .process.args = ["cat", "/proc/keys"]'
ok rt run --bundle "$T/b" k1
assert_match '_ses\.k1' "$out"
ok rt run --no-new-keyring --bundle "$T/b" k2
assert_no_match '_ses\.k2' "$out"
