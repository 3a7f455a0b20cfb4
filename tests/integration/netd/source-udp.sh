#!/bin/bash
# A container behind a published UDP port sees each client's own address and port; answers come from the address that was asked.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-netd.sh"
in_lab "$@"

check() {
  make_plane "$1"
  make_container 10.89.0.2/24,fd00:89::2/64
  on-server ip addr add 198.51.100.77/24 dev eth0 2>/dev/null || true
  plane_do container c1 '10.89.0.2/24|fd00:89::2/64=10.89.0.1|fd00:89::1'
  plane_do port c1 udp 0.0.0.0 8080 7
  plane_do port c1 udp :: 8080 7
  assert_eq "$C4 40001 4" "$(client ask udp $S4 8080 --from 40001)"
  assert_eq "$C4B 40002 4" "$(client ask udp $S4 8080 --from 40002 --bind $C4B)"
  assert_eq "$C6 40003 4" "$(client ask udp $S6 8080 --from 40003)"
  # the server has two addresses: the answer comes from the one that was asked (netpeer says when not)
  assert_eq "$C4 40005 4" "$(client ask udp 198.51.100.77 8080 --from 40005)"
  for size in 1400 9000 60000; do
    assert_eq "$C4 40001 $size" "$(client ask udp $S4 8080 --from 40001 --size $size)"
    assert_eq "$C6 40003 $size" "$(client ask udp $S6 8080 --from 40003 --size $size)"
  done
  assert_match '^10\.89\.0\.1 ' "$(server ask udp 127.0.0.1 8080)" 'by 127.0.0.1'
  assert_match '^10\.89\.0\.1 ' "$(server ask udp $S4 8080)" 'by the own address'
  assert_match '^fd00:89::1 ' "$(server ask udp ::1 8080)" 'by ::1'
  # nothing listens there: no answer, and once it does, there is one
  plane_do port c1 udp 0.0.0.0 8081 77
  expect_exit 1 client ask udp $S4 8081 --from 40009
  serve_in "$CONTAINER" 77
  assert_eq "$C4 40009 4" "$(client ask udp $S4 8081 --from 40009)"
}
for_each_owner check
