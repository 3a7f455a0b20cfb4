#!/bin/bash
# Without descriptors new clients wait, the log says why once, and they are served when others have gone.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-netd.sh"
in_lab "$@"

check() {
  make_plane "$1" --nofile=400
  make_container 10.89.0.2/24
  plane_do container c1 '10.89.0.2/24=10.89.0.1'
  plane_do port c1 tcp 0.0.0.0 8080 7
  : >"$T/plane.log"
  on-client "$PEER" open $S4 8080 500 hold < <(until [ -e "$T/enough" ]; do sleep 0.1; done) >"$T/burst" &
  burst=$!
  within 60 eval '[ "$(stat_of fd_shortages)" -ge 1 ]'
  within 60 grep -q 'Too many open files' "$T/plane.log"
  held=$(stat_of in_connections)
  { [ "$held" -gt 100 ] && [ "$held" -lt 200 ]; } || fail "$held connections with 400 descriptors"
  client ask tcp $S4 8080 --from 40001 >"$T/late" &
  late=$!
  touch "$T/enough"
  wait $burst
  wait $late
  assert_eq "$C4 40001" "$(cat "$T/late")"
  assert_eq 1 "$(grep -c 'Too many open files' "$T/plane.log")" 'lines of the log'
  rm "$T/enough" "$T/burst"
  within 60 eval '[ "$(stat_of in_connections)" = 0 ]'
  assert_eq "$C4 40002" "$(client ask tcp $S4 8080 --from 40002)"
}
for_each_owner check
