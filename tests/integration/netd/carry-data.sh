#!/bin/bash
# A container's outbound TCP goes through: v4 and v6, both ways, half-close, resets, and the host's own address is what the remote side sees.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-netd.sh"
in_lab "$@"

check() {
  CARRY=1 make_plane "$1"
  make_container 10.89.0.2/24,fd00:89::2/64
  plane_do container c1 '10.89.0.2/24|fd00:89::2/64=10.89.0.1|fd00:89::1'
  assert_match "^$S4 " "$(in_c "$PEER" ask tcp $C4 7)"
  assert_match "^$S6 " "$(in_c "$PEER" ask tcp $C6 7)"
  for to in $C4 $C6; do
    : >"$T/remote"
    assert_eq 3000000 "$(in_c "$PEER" half "$to" 7 3000000)"
    assert_eq ECONNRESET "$(in_c "$PEER" ends "$to" 7 reset)"
    assert_eq eof "$(in_c "$PEER" ends "$to" 7 'send 1000000')"
    in_c "$PEER" ends "$to" 7 idle reset
    within 20 eval '[ "$(grep -c "^ended .* ECONNRESET" "$T/remote")" = 1 ]'
  done
  # the host's other addresses are reached unless the switch is off; containers among themselves are not carried
  assert_match "^$S4 " "$(in_c "$PEER" ask tcp $S4 7000)"
  before=$(stat_of dialled)
  assert_match '^10\.89\.0\.2 ' "$(in_c "$PEER" ask tcp 10.89.0.2 7)"
  assert_eq "$before" "$(stat_of dialled)"
  # the container goes: its connections are reset
  within 20 eval '[ "$(stat_of carried)" = 0 ]'
  in_c "$PEER" ends $C4 7 idle >"$T/gone" &
  gone=$!
  within 20 eval '[ "$(stat_of carried)" = 1 ]'
  plane_do remove c1
  wait $gone
  assert_eq ECONNRESET "$(cat "$T/gone")"
  within 20 eval '[ "$(stat_of carried)" = 0 ]'
}
on-server "$PEER" serve 7000 >"$T/own" 2>&1 &
on-client "$PEER" serve 7 >>"$T/remote" 2>&1 &
within 20 grep -q ready "$T/own"
within 20 grep -q ready "$T/remote"
for_each_owner check
