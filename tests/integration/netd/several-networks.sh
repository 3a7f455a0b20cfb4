#!/bin/bash
# A container on several networks is reached on the one whose default route it has; addresses may change while it runs.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-netd.sh"
in_lab "$@"

check() {
  make_plane "$1"
  plane_do bridge br1 10.89.1.0/24=10.89.1.1
  make_container 10.89.0.2/24 10.89.1.2/24
  # the first one is internal: clients come by the second, whose gateway is the default route
  in_c ip route replace default via 10.89.1.1
  plane_do container c1 '10.89.0.2/24=10.89.0.1!,10.89.1.2/24=10.89.1.1'
  plane_do port c1 tcp 0.0.0.0 8080 7
  plane_do port c1 udp 0.0.0.0 8080 7
  assert_eq "$C4 40001" "$(client ask tcp $S4 8080 --from 40001)"
  assert_eq "$C4 40001 4" "$(client ask udp $S4 8080 --from 40001)"
  # disconnected from the second: what came by it is reset, new clients come by the first
  within 20 eval '[ "$(stat_of in_connections)" = 0 ]'
  client ends $S4 8080 idle >"$T/idle" &
  within 20 eval '[ "$(stat_of in_connections)" = 1 ]'
  in_c ip route replace default via 10.89.0.1
  plane_do container c1 '10.89.0.2/24=10.89.0.1'
  in_c ip addr del 10.89.1.2/24 dev eth1
  wait $!
  assert_eq ECONNRESET "$(cat "$T/idle")"
  assert_eq "$C4 40002" "$(client ask tcp $S4 8080 --from 40002)"
  assert_eq "$C4 40001 4" "$(client ask udp $S4 8080 --from 40001)"
}
for_each_owner check
