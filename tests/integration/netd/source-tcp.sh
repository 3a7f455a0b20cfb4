#!/bin/bash
# A container behind a published TCP port sees each client's own address and port, v4 and v6; the host itself as the gateway.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-netd.sh"
in_lab "$@"

check() {
  make_plane "$1"
  make_container 10.89.0.2/24,fd00:89::2/64
  plane_do container c1 '10.89.0.2/24|fd00:89::2/64=10.89.0.1|fd00:89::1'
  plane_do port c1 tcp 0.0.0.0 8080 7
  plane_do port c1 tcp :: 8080 7
  assert_eq "$C4 40001" "$(client ask tcp $S4 8080 --from 40001)"
  assert_eq "$C4B 40002" "$(client ask tcp $S4 8080 --from 40002 --bind $C4B)"
  assert_eq "$C6 40003" "$(client ask tcp $S6 8080 --from 40003)"
  assert_eq "$C6B 40004" "$(client ask tcp $S6 8080 --from 40004 --bind $C6B)"
  assert_eq "$C4 1023" "$(client ask tcp $S4 8080 --from 1023)"
  for to in 127.0.0.1 127.0.0.5 $S4; do
    assert_match '^10\.89\.0\.1 ' "$(server ask tcp "$to" 8080)" "through $to"
  done
  for to in ::1 $S6; do
    assert_match '^fd00:89::1 ' "$(server ask tcp "$to" 8080)" "through $to"
  done
  # link-local clients have no meaning elsewhere
  local ll
  ll=$(on-server ip -6 -br addr show dev eth0 | grep -o 'fe80::[0-9a-f:]*')
  assert_match '^fd00:89::1 ' "$(on-router "$PEER" ask tcp "$ll%rserver" 8080)" 'link-local client'
}
for_each_owner check
