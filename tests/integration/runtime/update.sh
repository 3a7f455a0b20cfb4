#!/bin/bash
# update changes memory, cpu, cpuset and pids of a running container; the values are read back from its cgroup.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-runtime.sh"
bundle b '.process.args = ["sleep", "1000"] | .linux.resources.memory.limit = 67108864 | .linux.resources.pids.limit = 50'
ok rt run -d --bundle "$T/b" c </dev/null
pid=$(rt state c | jq -r .pid)

# knob V1-CONTROLLER V1-FILE V2-FILE: the value in the container's cgroup, of whichever version holds the controller
knob() {
  local path
  path=$(awk -F: -v c="$1" '("," $2 ",") ~ ("," c ",") {print $3}' "/proc/$pid/cgroup")
  if [ -n "$path" ]; then cat "/sys/fs/cgroup/$1$path/$2"
  else cat "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")/$3"; fi
}
assert_eq 67108864 "$(knob memory memory.limit_in_bytes memory.max)"
assert_eq 50 "$(knob pids pids.max pids.max)"

ok rt update --memory 100m --pids-limit 20 --cpu-quota 50000 --cpu-period 100000 --cpuset-cpus 0 --cpu-share 512 c
assert_eq 104857600 "$(knob memory memory.limit_in_bytes memory.max)" memory
assert_eq 20 "$(knob pids pids.max pids.max)" pids
assert_eq 0 "$(knob cpuset cpuset.cpus cpuset.cpus)" cpuset
cpu=$(knob cpu cpu.cfs_quota_us cpu.max)
assert_match '^50000( 100000)?$' "$cpu" 'cpu quota'
assert_match '^(512|20)$' "$(knob cpu cpu.shares cpu.weight)" 'cpu weight'
# what the process itself may do follows
assert_eq 0 "$(awk '$1 == "Cpus_allowed_list:" {print $2}' "/proc/$pid/status")"

echo '{"memory": {"limit": 83886080}, "pids": {"limit": -1}}' >"$T/r.json"
ok rt update -r "$T/r.json" c
assert_eq 83886080 "$(knob memory memory.limit_in_bytes memory.max)" memory
assert_eq max "$(knob pids pids.max pids.max)" pids
assert_error 1 'memory' rt update --memory nonsense c
