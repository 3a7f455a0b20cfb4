#!/bin/bash
# What podman pushed we pull and run, what we pushed podman pulls: the same image id and the same digest.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-registry.sh"
need_program podman
printf '[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=20000:20000"]\n' >containers.conf
pod() { CONTAINERS_CONF=$T/containers.conf command podman --root "$T/pr" --runroot "$T/pu" --tmpdir "$T/pm" --cgroup-manager cgroupfs \
  --storage-driver vfs --events-backend file --log-level error "$@"; }
start_registry
ok pod load -q -i "$IMAGES/busybox.tar"
ok pod push -q --tls-verify=false "$IMG" "$R/by-podman:1"
ok minke pull -q --tls-verify=false "$R/by-podman:1"
id=$out
ok run "$R/by-podman:1" echo works
assert_eq works "$out"
ok minke push -q --tls-verify=false --digestfile d "$R/by-podman:1" "$R/by-minke:1"
ok pod rmi -af
ok pod pull -q --tls-verify=false "$R/by-minke:1"
assert_eq "$id" "$out" 'image id'
assert_eq "$(cat d)" "$(pod image inspect --format '{{.Digest}}' "$R/by-minke:1")" digest
assert_eq "$(command skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$R/by-podman:1")" "$(cat d)" 'digest as podman pushed it'
mount | awk -v t="$T/p" 'index($3, t) == 1 { print $3 }' | xargs -r umount -l
