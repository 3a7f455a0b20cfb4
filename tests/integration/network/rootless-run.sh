#!/bin/bash
# A user's container is on the default network without a word, as root's; on its own networks it finds others by name.
# needs: user
. "$(dirname "$0")/../../lib-network.sh"
need_image
ok minke run --rm "$IMG" sh -c 'ip -o -4 addr show dev eth0; ip route; cat /etc/resolv.conf'
subnet=$(subnet_of podman)
assert_match "inet 10\.[0-9]+\.[0-9]+\.[0-9]+/${subnet#*/} " "$out"
assert_match 'default via 10\.[0-9]+\.[0-9]+\.1 dev eth0' "$out"
ok minke network create n1
ok minke network create n2
on_net a n1
on_net b n1 --network-alias other
on_net c n2
found() { minke exec "$1" nslookup "$2" 2>&1 | grep -q "$3"; }
within 20 found a b "$(address_of b n1)"
within 20 found a other "$(address_of b n1)"
within 20 found b a "$(address_of a n1)"
! found a c "$(address_of c n2)" || fail 'a name of another network'
ok minke exec a ping -c 1 -W 5 b
ok minke network connect n1 c
within 20 found a c "$(address_of c n1)"
ok minke exec c ip -o -4 addr show dev eth1
assert_match "$(address_of c n1)/24" "$out"
ok minke exec c ping -c 1 -W 5 a
ok minke network disconnect n1 c
! minke exec c ip link show dev eth1 2>/dev/null || fail 'it is still there'
assert_error 2 'network is being used' minke network rm n1
ok minke restart -t 0 b
within 20 found a b "$(address_of b n1)"
ok minke rm -f -t 0 a b c
nothing_left
ok minke network rm n1 n2
