#!/bin/bash
# The host's loopback is never dialled for a container, whatever it sends; its other addresses only when allowed.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-netd.sh"
in_lab "$@"

check() {
  CARRY=1 make_plane "$1" --no-own
  make_container 10.89.0.2/24,fd00:89::2/64
  # everything that the container can send: also to addresses that a kernel would keep
  in_n sh -c 'echo 1 >/proc/sys/net/ipv4/conf/br0/route_localnet; echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet'
  in_c sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet; echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet'
  in_c ip rule add pref 5 to 127.0.0.0/8 lookup 99
  in_c ip rule add pref 10 lookup local
  in_c ip rule del pref 0
  in_c ip route add 127.0.0.0/8 via 10.89.0.1 src 10.89.0.2 table 99
  in_c ip -6 rule add pref 5 to ::1 lookup 99
  in_c ip -6 rule add pref 10 lookup local
  in_c ip -6 rule del pref 0
  in_c ip -6 route add ::1/128 via fd00:89::1 dev eth0 table 99
  waits=()
  for to in 127.0.0.1 127.0.0.5 ::1 ::ffff:127.0.0.1 $S4 $S6; do
    in_c "$PEER" connect "$to" 7000 >"$T/to.$to" &
    waits+=($!)
  done
  wait "${waits[@]}"
  assert_eq '' "$(grep -lx ok "$T"/to.* || true)" 'reached'
  assert_eq 0 "$(stat_of dialled)"
  [ "$(stat_of forbidden)" -ge 2 ] || fail "what is forbidden did not arrive: $(plane_ask stats)"
  assert_match "^$S4 " "$(in_c "$PEER" ask tcp $C4 7)"
  # nobody came
  assert_eq ready "$(cat "$T/own")"
}
on-server "$PEER" serve 7000 >"$T/own" 2>&1 &
on-client "$PEER" serve 7 >"$T/remote" 2>&1 &
within 20 grep -q ready "$T/remote"
within 20 grep -q ready "$T/own"
for_each_owner check
