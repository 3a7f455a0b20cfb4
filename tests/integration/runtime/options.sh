#!/bin/bash
# Options of runc that few use: handed sockets, --no-new-privs=false, signal 0, realtime and resctrl limits.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-runtime.sh"

bundle s '.process.args = ["sh", "-c", "cat <&3; env"]'
echo handed >"$T/handed"
LISTEN_FDS=1 LISTEN_FDNAMES=web ok rt run --bundle "$T/s" s 3<"$T/handed"
assert_match $'^handed\n' "$out"
assert_match 'LISTEN_FDS=1' "$out"
assert_match 'LISTEN_PID=1' "$out"
assert_match 'LISTEN_FDNAMES=web' "$out"

bundle b '.process.args = ["sleep", "1000"]'
assert_error 1 'unknown option --detach' rt create --detach --bundle "$T/b" c
ok rt run --detach=false --detach --bundle "$T/b" c </dev/null
ok rt exec c grep NoNewPrivs /proc/self/status
assert_match '1$' "$out"
ok rt exec --no-new-privs=false c grep NoNewPrivs /proc/self/status
assert_match '0$' "$out"
ok rt kill c 0
if is_root; then
  assert_error 1 'no class of service of its own' rt update --l3-cache-schema L3:0=f c
  assert_error 1 'kernel-memory: Linux has no limit' rt update --kernel-memory 100m c
  [ ! -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ] || assert_error 1 'cpu.rt_runtime_us' rt update --cpu-rt-period 1000000 --cpu-rt-runtime 1000001 c
fi
ok rt kill c KILL
within 20 eval '[ "$(rt state c | jq -r .status)" = stopped ]'
assert_error 1 'not running' rt kill c 0
assert_error 1 'not running' rt update --pids-limit 5 c

# An option that says nothing about a bind mount is told, not passed over.
bundle o '.process.args = ["true"] | .mounts += [{"destination": "/tmp", "type": "bind", "source": "/tmp", "options": ["rbind", "ro", "uid=5"]}]'
ok rt run --bundle "$T/o" o
assert_eq 'warning: mount /tmp: a bind mount has no option "uid=5"' "$err"
