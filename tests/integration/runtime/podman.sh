#!/bin/bash
# Debian's podman runs containers with minke-runtime as its OCI runtime.
. "$(dirname "$0")/../../lib.sh"
need_program podman
need_program jq
[ -e "$IMAGES/busybox.tar" ] || skip 'no busybox image'
printf '[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=20000:20000"]\n' >"$T/containers.conf"
export CONTAINERS_CONF=$T/containers.conf
pm() {
  podman --root "$T/pr" --runroot "$T/pu" --tmpdir "$T/pm" --cgroup-manager cgroupfs --storage-driver vfs \
    --events-backend file --log-level error --runtime "$BIN/minke-runtime" "$@"
}
trap 'code=$?; pm rm -fa -t 0 >/dev/null 2>&1; is_root || podman unshare rm -rf "$T/pr"; (exit $code); cleanup' EXIT
pm load -q -i "$IMAGES/busybox.tar" >"$T/load" 2>&1 || skip "podman cannot load images here: $(head -1 "$T/load")"

ok pm run --rm --network none "$IMG" sh -c 'id -u; hostname >/dev/null; grep Seccomp: /proc/self/status'
assert_match '^0' "$out"
assert_match '2$' "$out" 'seccomp filter'
expect_exit 42 pm run --rm --network none "$IMG" sh -c 'exit 42'
assert_error 127 'executable file `nosuch` not found' pm run --rm --network none "$IMG" nosuch
assert_error 126 'ermission denied' pm run --rm --network none "$IMG" /etc
ok pm run -d --name c --network none "$IMG" sleep 100
ok pm exec c id -u
assert_eq 0 "$out"
ok pm exec -u 1000 -w /tmp -e A=b c sh -c 'id -u; pwd; echo $A'
assert_eq $'1000\n/tmp\nb' "$out"
expect_exit 3 pm exec c sh -c 'exit 3'
if is_root; then
  ok pm pause c
  ok pm unpause c
else
  ok pm run --rm --network none --userns keep-id "$IMG" id -u
  assert_eq "$(id -u)" "$out"
fi
ok pm stop -t 0 c
ok pm start c
ok pm rm -f -t 0 c
