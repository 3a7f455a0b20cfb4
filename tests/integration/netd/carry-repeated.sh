#!/bin/bash
# A SYN that is repeated while it is held is not dialled again; one that nobody claims is reset after four seconds.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-netd.sh"
in_lab "$@"

# the remote's SYN-ACKs come only when we let them
slow() { on-router nft "add table inet way; add chain inet way f { type filter hook forward priority 0; policy accept; }; add rule inet way f ip saddr 203.0.113.7 tcp sport 7 drop"; }
fast() { on-router nft delete table inet way; }
on-client "$PEER" serve 7 >"$T/remote" 2>&1 &
within 20 grep -q ready "$T/remote"
check() {
  CARRY=1 make_plane "$1"
  make_container 10.89.0.2/24
  slow
  in_c "$PEER" ask tcp $C4 7 >"$T/late" &
  late=$!
  within 30 eval '[ "$(stat_of repeated)" -ge 1 ]' # after a second
  assert_eq 1 "$(stat_of held)"
  fast
  wait $late
  assert_match "^$S4 " "$(cat "$T/late")"
  assert_eq 1 "$(stat_of dialled)"
  # the container gives up before the answer comes: the remote side sees a connection, then its reset
  slow
  in_c timeout 0.5 "$PEER" ask tcp $C4 7 >/dev/null || true
  assert_eq 1 "$(stat_of held)"
  fast
  within 60 eval '[ "$(stat_of unclaimed)" = 1 ]'
  assert_eq '2 0 0' "$(stat_of dialled) $(stat_of held) $(stat_of carried)"
}
for_each_owner check
