#!/bin/bash
# One listening socket for both families (as systemd hands them over): v4 clients are seen as v4, TCP and UDP.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-netd.sh"
in_lab "$@"

check() {
  make_plane "$1"
  make_container 10.89.0.2/24,fd00:89::2/64
  plane_do container c1 '10.89.0.2/24|fd00:89::2/64=10.89.0.1|fd00:89::1'
  plane_do port c1 tcp :: 8080 7 dual
  plane_do port c1 udp :: 8080 7 dual
  assert_eq "$C4 40001" "$(client ask tcp $S4 8080 --from 40001)"
  assert_eq "$C6 40001" "$(client ask tcp $S6 8080 --from 40001)"
  assert_eq "$C4 40001 4" "$(client ask udp $S4 8080 --from 40001)"
  assert_eq "$C6 40001 4" "$(client ask udp $S6 8080 --from 40001)"
  assert_match '^10\.89\.0\.1 ' "$(server ask tcp 127.0.0.1 8080)"
}
for_each_owner check
