#!/bin/bash
# container inspect says what was asked for, before and after a start.
. "$(dirname "$0")/../../lib.sh"
need_image
minke create --name c --network none --hostname box -u 1:1 -w /tmp -e A=B -l x=y --cap-add net_admin --cap-drop chown \
  --security-opt no-new-privileges --read-only -v "$T:/data:ro" --tmpfs /scratch:size=1m --ulimit nofile=100:200 \
  --stop-signal USR1 --stop-timeout 3 --uts private --pid host --add-host a:1.2.3.4 --annotation k=v "$IMG" sleep 100 >/dev/null

check() { # TEMPLATE WANT
  ok minke inspect --format "$1" c
  assert_eq "$2" "$out" "$1"
}
values() {
  check "{{.Config.Image}}" "$IMG"
  check '{{.Config.Hostname}} {{.Config.User}} {{.Config.WorkingDir}} {{.Config.StopSignal}} {{.Config.StopTimeout}}' 'box 1:1 /tmp 10 3'
  check '{{.HostConfig.NetworkMode}} {{.HostConfig.PidMode}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Init}}' 'none host true false'
  check '{{.HostConfig.CapAdd}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}}' '[CAP_NET_ADMIN] [CAP_CHOWN] [no-new-privileges]'
  check '{{range .Mounts}}{{.Type}} {{.Source}} {{.Destination}} {{.RW}}{{end}}' "bind $T /data false"
  check '{{range $k, $v := .HostConfig.Tmpfs}}{{$k}}{{end}}' /run/scratch/tmp/var/tmp
  check '{{index .Config.Labels "x"}} {{index .Config.Annotations "k"}} {{.HostConfig.ExtraHosts}}' 'y v [a:1.2.3.4]'
  ok minke inspect --format '{{json .HostConfig.Ulimits}}' c
  assert_match '"Name":"RLIMIT_NOFILE","Soft":100,"Hard":200' "$out"
  ok minke inspect --format '{{json .Config.Env}}' c
  assert_match '"A=B"' "$out"
}
check '{{.State.Status}} {{.State.Running}} {{.State.Pid}} {{.HostConfig.AutoRemove}}' 'created false 0 false'
values
check '{{.HostConfig.RestartPolicy.MaximumRetryCount}} {{.RestartCount}} {{.State.ExitCode}}' '0 0 0'
