#!/bin/bash
# When the plane is gone, new connections go on to the helper's way at once (bypass), and with another plane they are carried again.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-netd.sh"
in_lab "$@"

check() {
  CARRY=1 make_plane "$1"
  make_container 10.89.0.2/24
  assert_match "^$S4 " "$(in_c "$PEER" ask tcp $C4 7)"
  # in the helper's place: N reaches the client by itself, masqueraded behind an uplink
  ip link add up0 netns "$N" type veth peer name up1 netns "$LAB_SERVER_PID"
  in_n ip addr add 172.31.0.2/24 dev up0
  in_n ip link set up0 up
  on-server ip addr add 172.31.0.1/24 dev up1
  on-server ip link set up1 up
  on-server sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
  on-router ip route replace 172.31.0.0/24 via $S4
  in_n ip route add default via 172.31.0.1
  in_n nft 'add table ip nat; add chain ip nat post { type nat hook postrouting priority 100; }; add rule ip nat post oifname up0 masquerade'
  # still carried
  assert_match "^$S4 " "$(in_c "$PEER" ask tcp $C4 7)"
  kill -KILL "$plane_pid"
  wait "$plane_pid" 2>/dev/null || true
  assert_match '^172\.31\.0\.2 ' "$(in_c "$PEER" ask tcp $C4 7)"
}
on-client "$PEER" serve 7 >"$T/remote" 2>&1 &
within 20 grep -q ready "$T/remote"
for_each_owner check
