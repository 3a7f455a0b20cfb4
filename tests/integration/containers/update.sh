#!/bin/bash
# update changes limits of a running container at once, and on record.
# needs: root
. "$(dirname "$0")/../../lib.sh"
need_image
id=$(start --name c "$IMG" sleep 1000)
limit() { # CONTROLLER V1-FILE V2-FILE: as the host has it
  local pid path
  pid=$(minke inspect -f '{{.State.Pid}}' c)
  path=$(awk -F: -v c="$1" '$2 ~ "(^|,)" c "(,|$)" {print $3}' "/proc/$pid/cgroup")
  if [ -n "$path" ]; then cat "/sys/fs/cgroup/$1$path/$2"; else cat "/sys/fs/cgroup$(sed -n s/^0:://p "/proc/$pid/cgroup")/$3"; fi
}
ok minke update -m 100m --pids-limit 77 --cpus 0.5 c
assert_eq "$id" "$out"
assert_eq $((100 << 20)) "$(limit memory memory.limit_in_bytes memory.max)" memory
assert_eq 77 "$(limit pids pids.max pids.max)" pids
assert_match '^50000' "$(limit cpu cpu.cfs_quota_us cpu.max)"
assert_eq "$((100 << 20)) $((200 << 20)) 77 500000000" \
  "$(minke inspect -f '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.PidsLimit}} {{.HostConfig.NanoCpus}}' c)"
# smaller and larger again: memory and swap pass each other
ok minke update -m 20m c
ok minke update -m 300m c
assert_eq $((300 << 20)) "$(limit memory memory.limit_in_bytes memory.max)" memory
ok minke update --cpu-quota 20000 c
assert_eq '20000 100000' "$(minke inspect -f '{{.HostConfig.CpuQuota}} {{.HostConfig.CpuPeriod}}' c)"
assert_error 125 'memoryswap limit should be larger' minke update -m 50m --memory-swap 20m c
assert_eq $((300 << 20)) "$(minke inspect -f '{{.HostConfig.Memory}}' c)" 'memory after a fault'
assert_error 125 'no container with name or ID "nosuch" found: no such container' minke update -m 50m nosuch
ok minke restart -t 0 c
assert_eq $((300 << 20)) "$(limit memory memory.limit_in_bytes memory.max)" 'memory after a restart'
