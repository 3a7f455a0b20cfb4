#!/bin/bash
# 5,000 connections at once: each with its own address and port, in less than 8 MiB; idle the plane has less than 2.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-netd.sh"
in_lab "$@"

check() {
  make_plane "$1"
  make_container 10.89.0.2/24
  plane_do container c1 '10.89.0.2/24=10.89.0.1'
  plane_do port c1 tcp 0.0.0.0 8080 7
  idle=$(memory_kib)
  memory_below 2048
  on-client "$PEER" burst $S4 8080 5000 hold < <(until [ -e "$T/enough" ]; do sleep 0.1; done) >"$T/burst" &
  burst=$!
  within 100 grep -q right "$T/burst"
  assert_eq 'right 5000 wrong 0 failed 0' "$(cat "$T/burst")"
  assert_eq 5000 "$(stat_of in_connections)"
  full=$(memory_kib)
  echo "$1: $idle KiB idle, $full KiB with 5000 connections"
  memory_below 8192
  touch "$T/enough"
  wait $burst
  rm "$T/enough" "$T/burst"
  within 60 eval '[ "$(stat_of in_connections)" = 0 ]'
  assert_eq "$C4 40001" "$(client ask tcp $S4 8080 --from 40001)"
}
for_each_owner check
