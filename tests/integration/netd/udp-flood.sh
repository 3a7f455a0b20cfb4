#!/bin/bash
# A flood of datagrams from invented addresses leaves bounded state, and those who are being served go on.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-netd.sh"
in_lab "$@"

check() {
  on-client ip route replace local 10.0.0.0/8 dev lo
  on-router ip route replace 10.0.0.0/8 via $C4
  make_plane "$1"
  make_container 10.89.0.2/24
  plane_do container c1 '10.89.0.2/24=10.89.0.1'
  plane_do port c1 udp 0.0.0.0 8080 9
  plane_do port c1 udp 0.0.0.0 8081 7
  plane_do port c1 tcp 0.0.0.0 8080 7
  assert_eq "$C4 40001 4" "$(client ask udp $S4 8081 --from 40001)"
  # nobody answers on port 9
  assert_eq 20000 "$(client flood $S4 8080 20000 10)"
  flows=$(stat_of udp_flows)
  [ "$flows" -le 8193 ] || fail "$flows flows"
  [ "$flows" -ge 1000 ] || fail "only $flows flows: the flood did not arrive"
  memory_below 8192
  assert_eq "$C4 40001 4" "$(client ask udp $S4 8081 --from 40001)"
  assert_eq "$C4 40002 4" "$(client ask udp $S4 8081 --from 40002)"
  assert_eq "$C4 40001" "$(client ask tcp $S4 8080 --from 40001)"
  # one client alone has less than that
  before='' # what still stands in the socket's buffer comes first
  until [ "$(stat_of udp_flows_total)" = "$before" ]; do
    before=$(stat_of udp_flows_total)
    sleep 0.3
  done
  assert_eq 3000 "$(client flood $S4 8080 3000)"
  made=$(($(stat_of udp_flows_total) - before))
  [ "$made" -le 1024 ] || fail "$made flows of one client"
}
for_each_owner check
