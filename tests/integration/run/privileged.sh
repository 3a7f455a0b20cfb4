#!/bin/bash
# --privileged: no seccomp, no masks, writable sysfs, the host's devices, all capabilities there
# are.
. "$(dirname "$0")/../../lib.sh"
need_image

probe security paths -- --privileged
assert_eq 0 "$(field "$out" .seccomp)"
if is_root; then
  assert_match 'full' "$(field "$out" '.paths["/proc/timer_list"]')"
  assert_eq "$(sed -n 's/^CapBnd:\t//p' /proc/self/status)" "$(field "$out" .caps.CapEff)"
  ok run --privileged "$IMG" sh -c 'test -e /dev/kmsg || test -e /dev/vda || ls /dev'
fi
