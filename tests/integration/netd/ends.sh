#!/bin/bash
# Ends of connections pass through a published port: half-close both ways, reset by either side, refusal.
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
  plane_do port c1 tcp 0.0.0.0 8081 9
  for to in $S4 $S6; do
    # all is said, then the end, then as much comes back
    assert_eq 3000000 "$(client half "$to" 8080 3000000)"
    assert_eq 0 "$(client half "$to" 8080 0)"
    assert_eq ECONNRESET "$(client ends "$to" 8080 reset)" 'reset by the container'
    assert_eq eof "$(client ends "$to" 8080 'send 100')"
    client ends "$to" 8080 idle reset
    within 20 eval 'served | grep -q "^ended .* ECONNRESET"' # reset by the client
  done
  # nothing listens on port 9: a client is told at once, though an accepting proxy cannot refuse
  assert_match 'ECONN(REFUSED|RESET)' "$(client connect $S4 8081)"
  [ "$(stat_of in_refused)" -ge 1 ]
  within 20 eval '[ "$(stat_of in_connections)" = 0 ]'
}
for_each_owner check
