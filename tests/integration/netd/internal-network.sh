#!/bin/bash
# A container without a default route is reached all the same: from the address of its network's bridge.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-netd.sh"
in_lab "$@"

check() {
  make_plane "$1"
  make_container --no-default 10.89.0.2/24,fd00:89::2/64
  plane_do container c1 '10.89.0.2/24|fd00:89::2/64=10.89.0.1|fd00:89::1!'
  for protocol in tcp udp; do
    plane_do port c1 $protocol 0.0.0.0 8080 7
    plane_do port c1 $protocol :: 8080 7
    assert_match '^10\.89\.0\.1 ' "$(client ask $protocol $S4 8080)"
    assert_match '^fd00:89::1 ' "$(client ask $protocol $S6 8080)"
  done
}
for_each_owner check
