#!/bin/bash
# A container that goes takes its listeners and connections with it, and leaves others alone.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-netd.sh"
in_lab "$@"

check() {
  make_plane "$1"
  make_container 10.89.0.2/24
  plane_do container c1 '10.89.0.2/24=10.89.0.1'
  plane_do container c2 '10.89.0.2/24=10.89.0.1'
  plane_do port c1 tcp 0.0.0.0 8080 7
  plane_do port c1 udp 0.0.0.0 8080 7
  plane_do port c2 tcp 0.0.0.0 8081 7
  client ends $S4 8080 idle >"$T/gone" &
  gone=$!
  client ends $S4 8081 idle >"$T/stays" &
  stays=$!
  within 20 eval '[ "$(stat_of in_connections)" = 2 ]'
  client ask udp $S4 8080 >/dev/null
  assert_eq 1 "$(stat_of udp_flows)"
  plane_do remove c1
  wait $gone
  assert_eq ECONNRESET "$(cat "$T/gone")"
  assert_eq ECONNREFUSED "$(client connect $S4 8080)"
  assert_eq '1 0' "$(stat_of ports) $(stat_of udp_flows)"
  # its ports are free in the same moment
  plane_do container c1 '10.89.0.2/24=10.89.0.1'
  plane_do port c1 tcp 0.0.0.0 8080 7
  assert_eq "$C4 40001" "$(client ask tcp $S4 8080 --from 40001)"
  kill -0 $stays
  assert_eq '' "$(cat "$T/stays")"
  plane_do remove c2
  wait $stays
  assert_match 'error: no container c9' "$(plane_ask port c9 tcp 0.0.0.0 8089 7)"
}
for_each_owner check
