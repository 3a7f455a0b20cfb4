#!/bin/bash
# --systemd=always: what systemd looks for is there and can be written; the limits cannot.
. "$(dirname "$0")/../../lib.sh"
need_image

ok run --systemd=always "$IMG" sh -c 'for d in /run /run/lock /tmp /var/log/journal; do grep -q " $d tmpfs rw,nosuid,nodev" /proc/mounts && touch $d/x || echo "no $d"; done; echo $container'
assert_match '^(podman|oci)$' "$out"
if [ -d /sys/fs/cgroup/systemd ] && is_root; then
  ok run --systemd=always "$IMG" sh -c 'grep -q " /sys/fs/cgroup/memory cgroup ro" /proc/mounts && tac /proc/mounts | grep -m 1 " /sys/fs/cgroup/systemd cgroup" | grep -o "cgroup rw"'
  assert_eq 'cgroup rw' "$out"
fi
ok run --systemd=false "$IMG" sh -c 'grep -c " /run/lock " /proc/mounts; true'
assert_eq 0 "$out"
# by the name of the program alone, and its signal to stop
minke create --name s --network none "$IMG" /sbin/init >/dev/null
assert_match '^(true|37|SIGRTMIN\+3)$' "$(minke inspect --format '{{.Config.StopSignal}}' s)"
assert_error 125 '--systemd values must be one of "true, false, always"' minke create --systemd=sometimes "$IMG"
is_podman && exit 0
ok run --systemd=always --shm-size-systemd 4m "$IMG" sh -c 'grep -E " /(run|tmp) tmpfs .*size=4096k" /proc/mounts | wc -l'
assert_eq 2 "$out"
