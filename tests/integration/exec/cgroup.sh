#!/bin/bash
# What exec starts is in the container's cgroup; below it where the container has passed its controllers on.
# needs: root
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c --cgroupns host "$IMG" sleep 1000 >/dev/null
of_init=$(minke exec c grep -vE 'misc|perf_event|net_' /proc/1/cgroup)
assert_eq "$of_init" "$(minke exec c grep -vE 'misc|perf_event|net_' /proc/self/cgroup)"

[ -e /sys/fs/cgroup/cgroup.controllers ] || exit 0
start --name d --privileged "$IMG" sh -c 'mkdir /sys/fs/cgroup/sub && echo 1 >/sys/fs/cgroup/sub/cgroup.procs &&
  echo +pids >/sys/fs/cgroup/cgroup.subtree_control && echo ready; exec sleep 1000' >/dev/null
within 20 eval 'minke logs d | grep -q ready'
ok minke exec d cat /proc/self/cgroup
assert_eq 0::/sub "$out"
