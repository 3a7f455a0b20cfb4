#!/bin/bash
# Options of networks in the kernel: a VLAN of the bridge, a VRF that it is in, an ipvlan; sctp is published for root.
# needs: root
. "$(dirname "$0")/../../lib-network.sh"
need_image
make_outside
minke network create -o vlan=20 --interface-name mybr0 tagged >/dev/null
if minke run -d --name c --network tagged "$IMG" sleep 1000 >/dev/null 2>"$T/vlan"; then
  assert_match '20 *PVID Egress Untagged' "$(bridge vlan show dev mybr0)"
  ok minke exec c ping -c 1 -W 5 10.89.0.1
  minke rm -f -t 0 c >/dev/null
else
  assert_match 'bridges know no VLANs' "$(cat "$T/vlan")"
fi
if ip link add myvrf type vrf table 77 2>/dev/null; then
  ip link set myvrf up
  minke network create -o vrf=myvrf --interface-name mybr1 apart >/dev/null
  ok minke run --rm --network apart "$IMG" true
  assert_match 'master myvrf' "$(ip link show mybr1)"
else
  minke network create -o vrf=myvrf apart >/dev/null
  assert_error 126 'option vrf' minke run --rm --network apart "$IMG" true
fi
if ip link add probe link outside type ipvlan 2>/dev/null; then
  ip link del probe
  minke network create -d ipvlan -o parent=outside --subnet 192.0.2.0/24 --gateway 192.0.2.1 near >/dev/null
  ok minke run --rm --network near --ip 192.0.2.40 "$IMG" ping -c 1 -W 5 192.0.2.2
fi
minke run -d --name s -p 8090:90/sctp "$IMG" sleep 1000 >/dev/null
assert_match '90/sctp' "$(minke port s)"
assert_match 'sctp . 8090' "$(nft list map inet minke anywhere4)"
minke rm -f -t 0 s >/dev/null
assert_no_match '8090' "$(nft list map inet minke anywhere4)"
nothing_left
