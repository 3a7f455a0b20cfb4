#!/bin/bash
# Published on IPv6 all the same, a container without IPv6 is reached from the bridge's address, and that is said once.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-netd.sh"
in_lab "$@"

check() {
  make_plane "$1"
  make_container 10.89.0.2/24
  plane_do container c1 '10.89.0.2/24=10.89.0.1'
  plane_do port c1 tcp :: 8080 7
  plane_do port c1 udp :: 8080 7
  assert_match '^10\.89\.0\.1 ' "$(client ask tcp $S6 8080)"
  assert_match '^10\.89\.0\.1 ' "$(client ask udp $S6 8080)"
  assert_eq 1 "$(grep -c 'has no IPv6 address' "$T/plane.log")" 'warnings'
  rm "$T/plane.log"
}
for_each_owner check
