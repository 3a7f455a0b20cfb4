#!/bin/bash
# proxy=v1 and v2 put the PROXY protocol's header in front, with the client's address also where the container cannot see it.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-netd.sh"
in_lab "$@"

check() {
  make_plane "$1"
  make_container 10.89.0.2/24,fd00:89::2/64
  plane_do container c1 '10.89.0.2/24|fd00:89::2/64=10.89.0.1|fd00:89::1'
  plane_do port c1 tcp 0.0.0.0 8080 7 v1
  plane_do port c1 tcp :: 8080 7 v1
  plane_do port c1 tcp 0.0.0.0 8081 7 v2
  assert_eq "PROXY TCP4 $C4 $S4 40001 8080" "$(client ask tcp $S4 8080 --from 40001 --raw)"
  assert_eq "PROXY TCP6 $C6 $S6 40001 8080" "$(client ask tcp $S6 8080 --from 40001 --raw)"
  # the host itself is the gateway here as well: nothing is taken for local
  assert_match '^PROXY TCP4 10\.89\.0\.1 127\.0\.0\.1 [0-9]+ 8080$' "$(server ask tcp 127.0.0.1 8080 --raw)"
  assert_eq 'v2 21 11 00 0c cb 00 71 07 c6 33 64 0a 9c 41 1f 91' "$(client ask tcp $S4 8081 --from 40001 --raw)"
  # an internal network hides the client, the header does not
  plane_do container c1 '10.89.0.2/24=10.89.0.1!'
  assert_eq "PROXY TCP4 $C4 $S4 40002 8080" "$(client ask tcp $S4 8080 --from 40002 --raw)"
}
for_each_owner check
