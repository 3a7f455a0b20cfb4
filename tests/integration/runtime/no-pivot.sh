#!/bin/bash
# --no-pivot: where pivot_root cannot work, the container's root is moved over the caller's instead.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-runtime.sh"
! ldd "$BIN/minke-runtime" >/dev/null 2>&1 || skip 'the runtime of this build is not static, as the folder here wants it (a sanitizer)'

bundle b '.process.args = ["sh", "-c", "ls /; cat /etc/passwd"] | del(.linux.cgroupsPath)'
mkdir -p "$T/host"/{bin,proc,sys,dev,run,tmp,bundle}
cp "$BIN/minke-runtime" "$T/host/bin/"
cp -a "$T/b/." "$T/host/bundle/"
# The runtime has a folder as its root, mounted on a shared mount: the kernel refuses to pivot there, as on an initramfs.
in_folder() {
  unshare -m --propagation private bash -ec '
    mount --make-shared /; mount --bind "$1" "$1"; mount --make-private "$1"
    mount --rbind /proc "$1/proc"; mount --rbind /sys "$1/sys"; mount --rbind /dev "$1/dev"
    host=$1; shift
    exec chroot "$host" /bin/minke-runtime --cgroup-manager disabled --root /run/rt "$@"' - "$T/host" "$@"
}
assert_error 1 'pivot' in_folder run --bundle /bundle c
ok in_folder run --no-pivot --bundle /bundle c
assert_match '^bin' "$out"
assert_match 'root:x:0:0' "$out"
assert_no_match bundle "$out" 'the root'
