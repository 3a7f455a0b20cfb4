#!/bin/bash
# A client that reads slowly gets everything and stops nobody else; a hundred that read nothing neither.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-netd.sh"
in_lab "$@"

check() {
  make_plane "$1"
  make_container 10.89.0.2/24
  plane_do container c1 '10.89.0.2/24=10.89.0.1'
  plane_do port c1 tcp 0.0.0.0 8080 7
  client slow $S4 8080 30000000 >"$T/slow" &
  slow=$!
  for _ in $(seq 100); do
    client slow $S4 8080 30000000 >/dev/null &
    others+=($!)
  done
  within 60 eval '[ "$(stat_of in_connections)" -ge 90 ]'
  assert_eq "$C4 40001" "$(client ask tcp $S4 8080 --from 40001)"
  assert_eq 3000000 "$(client half $S4 8080 3000000)"
  memory_below 8192
  kill "${others[@]}" 2>/dev/null || true
  wait $slow
  assert_eq 30000000 "$(cat "$T/slow")"
  wait "${others[@]}" 2>/dev/null || true
  within 60 eval '[ "$(stat_of in_connections)" = 0 ]'
}
others=()
for_each_owner check
