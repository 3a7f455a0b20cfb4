#!/bin/bash
# Whoever waits more than a second for a container's lock is told who holds it.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'locks of minke'
need_image
minke create --name c --network none "$IMG" true >/dev/null
lock=$T/u/containers/$(minke inspect --format '{{.Id}}' c)/lock
# Another process holds it as a command would: an open file description lock.
if is_root; then
  "$PROBE" lock "$lock" &
  holder=$!
else
  background unshare "$PROBE" lock "$lock" # a user's commands hold locks from inside the user's namespace
  holder=$client
fi
within 20 grep -qs "lock:" "/proc/$holder/fdinfo/3"
background start c 2>"$T/said"
within 60 grep -q "waiting for the lock of container .*held by process $holder (probe)" "$T/said"
kill "$holder"
wait "$client"
within 20 is_exited c
