#!/bin/bash
# --cgroups split: the container's group and the engine's own stand side by side in the cgroup that the command is in.
# needs: root
. "$(dirname "$0")/../../lib.sh"
need_image
assert_error 125 'cannot specify --cgroup-mode=split with a cgroup-parent' \
  minke create --cgroups split --cgroup-parent /x "$IMG" true

places=(/sys/fs/cgroup) controller=''
[ -e /sys/fs/cgroup/cgroup.controllers ] || places=(/sys/fs/cgroup/{systemd,memory,pids,freezer}) controller=pids
unit=minke-split-$$
tidy() {
  for place in "${places[@]}"; do
    for dir in "$place/$unit/runtime" "$place/$unit"; do
      while read -r pid; do echo "$pid" >"$place/cgroup.procs"; done <"$dir/cgroup.procs"
      rmdir "$dir"
    done
  done
  for place in /sys/fs/cgroup/*/"$unit"; do [ ! -d "$place" ] || rmdir "$place"; done
} 2>/dev/null
trap 'rc=$?; minke rm -fa -t 0 >/dev/null; tidy; (exit $rc); cleanup' EXIT
# In a unit the command is the only process, as ExecStart=: on v2 others would keep its controllers from those below.
in_unit() (
  for place in "${places[@]}"; do mkdir -p "$place/$unit" && echo "$BASHPID" >"$place/$unit/cgroup.procs"; done
  exec "$MINKE" "${engine_options[@]}" "$@"
)
group_of() { grep -E "^[0-9]+:$controller:" "/proc/$1/cgroup" | cut -d: -f3; }

id=$(in_unit run -d --name c --cgroups split --memory 20m --restart on-failure:1 --network none \
  "$IMG" sleep 1000)
field() { minke inspect --format "{{.$1}}" c; }
assert_eq "/$unit/libpod-payload-$id" "$(group_of "$(field State.Pid)")"
assert_eq "/$unit/libpod-payload-$id" "$(field State.CgroupPath)"
assert_eq "/$unit/runtime" "$(group_of "$(field State.ConmonPid)")"
# A restart finds the same places.
kill -9 "$(field State.Pid)"
within 30 eval '[ "$(field RestartCount) $(field State.Status)" = "1 running" ]'
assert_eq "/$unit/libpod-payload-$id" "$(group_of "$(field State.Pid)")"
# A killed monitor leaves no group.
kill -9 "$(field State.ConmonPid)"
within 30 eval '[ "$(minke inspect --format "{{.State.Status}}" c)" = exited ]'
ok minke rm c
assert_eq '' "$(find /sys/fs/cgroup -name "libpod-payload-$id")"
