#!/bin/bash
# What unpacks foreign archives has no network, no exec, few capabilities, and sees the store's images only.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'podman unpacks by other means'
# Sanitizers need system calls of their own: such a build has all but the filter.
filter=2
! ldd "$BIN/minke-image" 2>/dev/null | grep -qE 'lib[at]san' || filter=0
mkfifo pipe
background load -q -i pipe
exec 3>pipe
head -c 2048 "$IMAGES/busybox.tar" >&3
find_worker() {
  local p
  for p in $(pgrep -x minke-image); do
    [[ $(readlink "/proc/$p/fd/5") = "$T/r" ]] && worker=$p && [ "$(status_of Seccomp)" = $filter ] && few_capabilities && return
  done
  return 1
}
status_of() { awk -v k="$1:" '$1 == k {print $2}' "/proc/$worker/status"; }
allowed=$((0x8800001b)) # CHOWN DAC_OVERRIDE FOWNER FSETID MKNOD SETFCAP
few_capabilities() { [ $((0x$(status_of CapEff) & ~allowed)) = 0 ] && [ "$(status_of NoNewPrivs)" = 1 ]; }
within 20 find_worker
find_worker
assert_eq 1 "$(status_of NoNewPrivs)" NoNewPrivs
assert_eq 0 $((0x$(status_of CapEff) & ~allowed)) 'capabilities beyond those'
assert_eq 0 $((0x$(status_of CapPrm) & ~allowed)) 'capabilities beyond those'
for fd in "/proc/$worker/fd"/*; do
  target=$(readlink "$fd") || continue
  case $target in
    "$T/r"* | "$T/pipe" | /dev/null | pipe:* | /memfd:* | "$T"/.* | "$PWD"/*) ;;
    *) [ "${fd##*/}" = 2 ] || fail "descriptor ${fd##*/} of the worker is $target" ;;
  esac
done
exec 3>&-
rc=0
wait "$client" || rc=$?
assert_eq 125 $rc 'a cut archive'
assert_eq '' "$(ls -A "$T/r/staging")" staging
