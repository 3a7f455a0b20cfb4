#!/bin/bash
# macvlan and ipvlan on a parent, options of bridges, a network without addresses.
# needs: root
. "$(dirname "$0")/../../lib-network.sh"
need_image
make_outside
out ip addr add 10.99.0.1/24 dev eth0
for driver in macvlan ipvlan; do
  ip link add probe0 link outside type $driver 2>/dev/null || { echo "no $driver in this kernel" >&2; continue; }
  ip link del probe0
  minke network create -d $driver --subnet 10.99.0.0/24 --gateway 10.99.0.1 -o parent=outside $driver >/dev/null
  ok minke run --rm --cap-add net_raw --network $driver "$IMG" sh -c 'ip -o -4 addr show dev eth0 && ping -c 1 -W 5 10.99.0.1'
  assert_match 10.99.0. "$out"
  ok minke network rm $driver
done
minke network create -o mtu=1300 --interface-name mybr0 small >/dev/null
minke run -d --name c --network small "$IMG" sleep 1000 >/dev/null
assert_match mybr0 "$(ip -br link)"
ok minke exec c cat /sys/class/net/eth0/mtu
assert_eq 1300 "$out"
ok minke rm -f -t 0 c
ok minke network rm small
assert_no_match mybr0 "$(ip -br link)"
minke network create --ipam-driver none bare >/dev/null
ok minke run --rm --network bare "$IMG" sh -c 'ip -o link show dev eth0; ip -o -4 addr show dev eth0'
assert_no_match ' inet ' "$out"
nothing_left
