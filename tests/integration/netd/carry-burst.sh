#!/bin/bash
# 5,000 outbound connections at once are all carried, each dialled once, beside streams that keep the carrier busy; 2,000 held
# towards silence stop nobody.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-netd.sh"
in_lab "$@"

on-client "$PEER" serve 7 >"$T/remote" 2>&1 &
on-client "$PEER" sink 5001 >"$T/sink" 2>&1 &
within 20 grep -q ready "$T/remote"
within 20 grep -q ready "$T/sink"
on-router nft -f - <<'R'
table inet way {
  chain f { type filter hook forward priority 0; policy accept; tcp dport 84 drop; }
}
R
check() {
  CARRY=1 make_plane "$1"
  make_container 10.89.0.2/24
  streams=()
  for _ in 1 2; do
    nsenter -t "$CONTAINER" -n -- "$PEER" pour $C4 5001 100 >/dev/null 2>&1 &
    streams+=($!)
  done
  within 20 eval '[ "$(stat_of carried)" = 2 ]'
  in_c "$PEER" open $C4 7 5000 hold < <(until [ -e "$T/enough" ]; do sleep 0.1; done) >"$T/burst" &
  burst=$!
  within 100 grep -q open "$T/burst"
  assert_eq 'open 5000 failed 0' "$(cat "$T/burst")"
  within 60 eval '[ "$(stat_of carried)" = 5002 ]'
  echo "$1: $(memory_kib) KiB, $(plane_ask stats)"
  memory_below 8192
  # each SYN once: repeated ones are not dialled again
  assert_eq 5002 "$(stat_of dialled)"
  kill "${streams[@]}"
  wait "${streams[@]}" || true
  touch "$T/enough"
  wait $burst
  rm "$T/enough" "$T/burst"
  within 60 eval '[ "$(stat_of carried)" = 0 ]'
  in_c timeout 100 "$PEER" open $C4 84 2000 >"$T/held" &
  held=$!
  within 60 eval '[ "$(stat_of held)" = 2000 ]'
  assert_match "^$S4 " "$(in_c "$PEER" ask tcp $C4 7)"
  memory_below 8192
  kill $held
  wait $held || true
}
for_each_owner check
