#!/bin/bash
# Where transparent sockets are not to be had, containers are reached from the bridge's address.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-netd.sh"
in_lab "$@"

check() {
  make_plane "$1"
  make_container 10.89.0.2/24
  plane_do transparent off
  plane_do container c1 '10.89.0.2/24=10.89.0.1'
  plane_do port c1 tcp 0.0.0.0 8080 7
  plane_do port c1 udp 0.0.0.0 8080 7
  assert_match '^10\.89\.0\.1 ' "$(client ask tcp $S4 8080)"
  assert_match '^10\.89\.0\.1 ' "$(client ask udp $S4 8080)"
}
for_each_owner check
