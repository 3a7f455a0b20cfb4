#!/bin/bash
# Start, stop and remove of the same containers from several processes: no wedge, no leftover.
. "$(dirname "$0")/../../lib.sh"
need_image
worker() {
  local i
  for i in 1 2 3 4 5; do
    minke run -d --name "p$i" --network none "$IMG" sleep 100
    minke exec "p$i" true
    minke stop -t 0 "p$i"
    minke rm -f -t 0 "p$i"
  done >/dev/null 2>&1 || true
}
for _ in 1 2 3; do worker & done
wait
ok minke rm -fa -t 0
ok minke ps -aq
assert_eq '' "$out"
ok run "$IMG" true
