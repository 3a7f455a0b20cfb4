#!/bin/bash
# The image worker killed in the middle: one error, nothing left, and the next load works.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'podman has no worker'
mkfifo pipe
background load -q -i pipe 2>err.txt
exec 3>pipe
head -c 100000 "$IMAGES/busybox.tar" >&3
find_worker() {
  for worker in $(pgrep -x minke-image); do
    [[ $(readlink "/proc/$worker/fd/5") = "$T/r" ]] && return
  done
  return 1
}
within 20 find_worker
find_worker
kill -9 "$worker"
rc=0
wait "$client" || rc=$?
exec 3>&-
assert_eq 125 $rc
assert_match 'image worker ended early' "$(cat err.txt)"
assert_eq 1 "$(wc -l <err.txt)" 'lines of the error'
assert_eq '' "$(find "$T/r/staging" "$T/r/layers" -mindepth 1)" 'what is left'
need_image
