#!/bin/bash
# Between netd and a container nobody paces himself, whatever the host's algorithm of congestion control; towards the host's
# network that one stays.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-netd.sh"
in_lab "$@"

algorithm_in() { # PID ADDRESS: of its connections with ADDRESS
  nsenter -t "$1" -n ss -tniH state established dst "$2" | grep -oE '\b(reno|cubic|bbr|dctcp)\b' | sort -u | tr '\n' ' '
}
check() {
  CARRY=1 make_plane "$1"
  make_container 10.89.0.2/24,fd00:89::2/64
  plane_do container c1 '10.89.0.2/24|fd00:89::2/64=10.89.0.1|fd00:89::1'
  plane_do port c1 tcp 0.0.0.0 8080 7
  serve_in "$LAB_CLIENT_PID" 7
  client burst $S4 8080 3 hold < <(until [ -e "$T/enough" ]; do sleep 0.1; done) >"$T/in" &
  nsenter -t "$CONTAINER" -n -- "$PEER" burst $C4 7 3 hold < <(until [ -e "$T/enough" ]; do sleep 0.1; done) >"$T/out" &
  within 20 grep -q right "$T/in"
  within 20 grep -q right "$T/out"
  assert_eq 'reno ' "$(algorithm_in "$N" 10.89.0.2)"
  assert_eq "$(cat /proc/sys/net/ipv4/tcp_congestion_control) " "$(algorithm_in "$LAB_SERVER_PID" $C4)"
  touch "$T/enough"
  wait %% || true
  rm "$T/enough"
}
for_each_owner check
