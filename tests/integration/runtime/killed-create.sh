#!/bin/bash
# A create that is killed leaves no process; its id is free after a delete, as with runc.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-runtime.sh"
need_program pgrep

bundle b '.process.args = ["sleep", "1000"]'
groups() { find /sys/fs/cgroup/{,*/}minke-test/"${T##*/}-b" -maxdepth 0 2>/dev/null; }
init_of() { pgrep -f "minke-runtime --root $RT_ROOT"; }

for step in 1 2 3; do
  expect_exit 137 env MINKE_FAILPOINT="runtime.create:$step" "$BIN/minke-runtime" --root "$RT_ROOT" create --bundle "$T/b" c
  assert_error 1 'container c exists' rt create --bundle "$T/b" c
  assert_error 1 'container c does not exist' rt state c
  assert_error 1 'container c does not exist' rt delete c
  [ ! -e "$RT_ROOT/c" ] || fail "step $step: the folder is left"
  within 20 eval '! init_of'
  assert_eq '' "$(groups)" "cgroups after step $step"
  assert_error 1 'container c does not exist' rt delete c
done

# Without a delete too: init ends with who made it.
expect_exit 137 env MINKE_FAILPOINT=runtime.create:3 "$BIN/minke-runtime" --root "$RT_ROOT" create --bundle "$T/b" c
within 20 eval '! init_of'
ok rt delete --force c

# Recorded, but not yet handed over: a container that has stopped.
expect_exit 137 env MINKE_FAILPOINT=runtime.create:4 "$BIN/minke-runtime" --root "$RT_ROOT" create --bundle "$T/b" c
within 20 eval '[ "$(rt state c | jq -r .status)" = stopped ]'
ok rt delete c

# Handed over: a container like every other.
expect_exit 137 env MINKE_FAILPOINT=runtime.create:5 "$BIN/minke-runtime" --root "$RT_ROOT" create --bundle "$T/b" c
ok rt start c
assert_eq running "$(rt state c | jq -r .status)"
ok rt delete --force c
