#!/bin/bash
# Killed while a network's first container gets its bridge, its interface, and the daemon: the next container of that network is whole,
# and with the network all of it goes.
. "$(dirname "$0")/../../lib-network.sh"
need_image
need_ports 1
for step in net.ensure:{1,2,3} net.attach:1 engine.netd:{1,2}; do
  [[ $step != engine.netd:* ]] || daemon_gone # else it is there already
  minke network create --interface-name minke7 --ipv6 n >/dev/null
  code=0
  # at once, or by an error where a child of the command is who was killed
  # shellcheck disable=SC2154 # lib.sh sets it
  (export MINKE_FAILPOINT=$step && exec "$MINKE" "${engine_options[@]}" run -d --name c --network n -p "${port[0]}:80" "$IMG" sleep 1000) \
    >/dev/null 2>&1 || code=$?
  [[ $code =~ ^(125|126|137)$ ]] || fail "exit code $code at $step"
  ok minke ps -a
  on_net d n -p "${port[0]}:80"
  ok minke exec d ping -c 1 -W 10 "$(gateway_of n)"
  within 20 minke exec d nslookup d
  ok minke rm -f -t 0 -i c d
  nothing_left
  ok minke network rm n
  assert_no_match minke7 "$(inside ip -br link 2>/dev/null || true)" "links after $step"
done
[ ! -e "$T/u/netd.sock" ] || daemon_gone
