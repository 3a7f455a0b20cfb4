#!/bin/bash
# minke-runtime runs an OCI bundle: exit code, state, list, delete.
# needs: root
. "$(dirname "$0")/../../lib.sh"
runtime=$BIN/minke-runtime
[ -x "$runtime" ] || skip 'no minke-runtime here'
mkdir -p b/rootfs/bin b/rootfs/proc b/rootfs/dev b/rootfs/sys
cp "$PROBE" b/rootfs/bin/probe
(cd b && "$runtime" --root "$T/state" spec)
jq '.process.terminal = false | .process.args = ["/bin/probe", "exit", "7"] | .root.readonly = true' b/config.json >c && mv c b/config.json

expect_exit 7 "$runtime" --root "$T/state" run -b b one
jq '.process.args = ["/bin/probe", "trap"]' b/config.json >c && mv c b/config.json
"$runtime" --root "$T/state" create -b b two >/dev/null # which the container's process has too
ok "$runtime" --root "$T/state" state two
assert_eq 'created two' "$(field "$out" '"\(.status) \(.id)"')"
ok "$runtime" --root "$T/state" start two
ok "$runtime" --root "$T/state" list -q
assert_eq two "$out"
ok "$runtime" --root "$T/state" kill two KILL
within 20 eval '[ "$("$runtime" --root "$T/state" state two | jq -r .status)" = stopped ]'
ok "$runtime" --root "$T/state" delete two
expect_exit 1 "$runtime" --root "$T/state" state two
# The bundle that `runc spec` writes: ambient capabilities that are not inheritable are none, and no fault.
jq '.process.args = ["/bin/probe", "exit", "3"] | .process.capabilities |= (del(.inheritable) | .ambient = ["CAP_KILL"])' b/config.json >c && mv c b/config.json
expect_exit 3 "$runtime" --root "$T/state" run -b b three
