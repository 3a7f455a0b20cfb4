#!/bin/bash
# Debian's podman runs containers with --runtime minke-runtime.
# needs: root
. "$(dirname "$0")/../../lib.sh"
runtime=$BIN/minke-runtime
[ -x "$runtime" ] || skip 'no minke-runtime here'
need_program podman
printf '[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=20000:20000"]\n' >containers.conf
export CONTAINERS_CONF=$T/containers.conf
peer() { podman --root "$T/pr" --runroot "$T/pu" --tmpdir "$T/pm" --cgroup-manager cgroupfs --storage-driver vfs --events-backend none --log-level error --runtime "$runtime" "$@"; }
ok peer load -q -i "$IMAGES/busybox.tar"

expect_exit 5 peer run --rm --network none "$IMG" probe exit 5
ok peer run --rm --network none "$IMG" echo hello
assert_eq hello "$out"
ok peer run -d --name c --network none "$IMG" sleep 100
ok peer exec c echo inside
assert_eq inside "$out"
ok peer stop -t 0 c
ok peer rm c
