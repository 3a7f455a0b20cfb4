#!/bin/bash
# The default network has 10.88.0.0/16 when that is free at its making, else another; what the host's routes take later it
# leaves too as soon as nobody is on it, and keeps what it has while somebody is, or when nothing is free.
# needs: root
. "$(dirname "$0")/../../lib-network.sh"
need_image
make_outside
address() { minke run --rm "$IMG" ip -o -4 addr show dev eth0; }
ip route add 10.88.0.0/16 dev outside
assert_no_match 10.88 "$(minke network inspect podman)"
ip route del 10.88.0.0/16 dev outside
assert_match 'inet 10\.88\.0\.' "$(address)"
minke run -d --name c "$IMG" sleep 1000 >/dev/null
ip route add 10.88.7.0/24 dev outside
assert_match 'inet 10\.88\.0\.' "$(address)" 'somebody is on it'
minke rm -f -t 0 c >/dev/null
ok minke run --rm --cap-add net_raw "$IMG" sh -c 'ip -o -4 addr show dev eth0; ping -c 1 -W 5 $(ip route | sed -n "s/default via \([^ ]*\).*/\1/p")'
assert_no_match 'inet 10\.88' "$out"
assert_match 'routes lead to the addresses of network podman by now' "$err"
assert_eq 1 "$(ip -br link | grep -c ^minke)"
assert_no_match '10\.88\.0\.1/' "$(ip -4 addr)"
now=$(gateway_of podman)
ip route del 10.88.7.0/24 dev outside
ok minke run --rm "$IMG" true
assert_eq "$now" "$(gateway_of podman)" 'it stays'
ip route add 10.0.0.0/8 dev outside
ok minke run --rm "$IMG" true
assert_eq "$now" "$(gateway_of podman)" 'nothing is free'
nothing_left
