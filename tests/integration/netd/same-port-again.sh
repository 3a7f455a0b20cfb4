#!/bin/bash
# A client's port is seen again right after a reset; towards two published ports of one container port the address stays real.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-netd.sh"
in_lab "$@"

check() {
  make_plane "$1"
  make_container 10.89.0.2/24
  plane_do container c1 '10.89.0.2/24=10.89.0.1'
  for protocol in tcp udp; do
    plane_do port c1 $protocol 0.0.0.0 8080 7
    plane_do port c1 $protocol 0.0.0.0 8081 7
  done
  for _ in 1 2 3 4 5; do
    client ends $S4 8080 who reset
    assert_eq "$C4 40001" "$(client ask tcp $S4 8080 --from 40001)"
    # the same two ends once more while the first one's may be in TIME-WAIT
    assert_match "^$C4 " "$(client ask tcp $S4 8081 --from 40001)"
  done
  # both at the same time
  rm -f "$T/first"
  client burst $S4 8080 1 hold < <(sleep 3) >"$T/first" &
  within 20 grep -qs 'right 1' "$T/first"
  assert_eq "$C4 40007 4" "$(client ask udp $S4 8080 --from 40007)"
  assert_match "^$C4 [0-9]+ 4" "$(client ask udp $S4 8081 --from 40007)"
  assert_eq "$C4 40007 4" "$(client ask udp $S4 8080 --from 40007)"
  wait $!
}
for_each_owner check
