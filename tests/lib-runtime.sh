# shellcheck shell=bash
# For tests of minke-runtime itself: . lib.sh, then this. Bundles are made of busybox and the probe.

RT_ROOT=$T/state
rt() { "$BIN/minke-runtime" --root "$RT_ROOT" "$@"; }

# bundle NAME [JQ-FILTER]: a bundle in $T/NAME, its config.json changed by the filter.
bundle() {
  local dir=$T/$1 applet
  need_program jq
  [ -x /bin/busybox ] || skip 'busybox-static is not installed'
  mkdir -p "$dir"/rootfs/{bin,etc,proc,dev,sys,tmp}
  cp /bin/busybox "$dir/rootfs/bin/busybox"
  cp "$PROBE" "$dir/rootfs/bin/probe"
  for applet in sh cat id ls true sleep grep hostname stat readlink touch echo env pwd mount kill; do
    ln -sf busybox "$dir/rootfs/bin/$applet"
  done
  printf 'root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n' >"$dir/rootfs/etc/passwd"
  chmod -R go+rX "$dir"
  local rootless=()
  is_root || rootless=(--rootless)
  (cd "$dir" && rt spec "${rootless[@]}")
  jq ".process.terminal = false | .linux.cgroupsPath = \"/minke-test/${T##*/}-$1\" | ${2:-.}" "$dir/config.json" >"$dir/new"
  mv "$dir/new" "$dir/config.json"
}

# Containers and their cgroups go, whatever the test did.
rt_cleanup() {
  local id
  for id in $(rt list -q 2>/dev/null); do rt delete -f "$id" || true; done
  rmdir /sys/fs/cgroup/{,*/}minke-test 2>/dev/null || true
}
# shellcheck disable=SC2154  # code is set within
trap 'code=$?; rt_cleanup; (exit $code); cleanup' EXIT
