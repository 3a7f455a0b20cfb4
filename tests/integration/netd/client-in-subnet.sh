#!/bin/bash
# A client whose address lies in the container's own network comes from the bridge's address: its own would be answered on the link.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-netd.sh"
in_lab "$@"

check() {
  # the client's network has the same addresses as the container's
  on-client ip addr replace 10.89.0.77/32 dev eth0
  on-router ip route replace 10.89.0.77 via $C4
  make_plane "$1"
  make_container 10.89.0.2/24
  plane_do container c1 '10.89.0.2/24=10.89.0.1'
  plane_do port c1 tcp 0.0.0.0 8080 7
  plane_do port c1 udp 0.0.0.0 8080 7
  assert_match '^10\.89\.0\.1 ' "$(client ask tcp $S4 8080 --bind 10.89.0.77)"
  assert_match '^10\.89\.0\.1 ' "$(client ask udp $S4 8080 --bind 10.89.0.77)"
  assert_eq "$C4 40001" "$(client ask tcp $S4 8080 --from 40001)"
}
for_each_owner check
