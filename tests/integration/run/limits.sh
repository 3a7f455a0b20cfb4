#!/bin/bash
# --memory, --cpus, --pids-limit reach the cgroup.
# needs: root
. "$(dirname "$0")/../../lib.sh"
need_image
[ -e /sys/fs/cgroup/memory ] || [ -e /sys/fs/cgroup/cgroup.controllers ] || skip 'no cgroups'

ok run --pids-limit 12 "$IMG" sh -c 'probe fork 50 || true'
[ "$out" -lt 12 ] || fail "could fork $out"
expect_exit 137 run --memory 32m "$IMG" probe eat 200
id=$(start --memory 64m --cpu-shares 512 "$IMG" sleep 60)
assert_eq '67108864 512' "$(minke inspect --format '{{.HostConfig.Memory}} {{.HostConfig.CpuShares}}' "$id")"
