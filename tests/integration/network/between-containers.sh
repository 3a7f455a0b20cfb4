#!/bin/bash
# Containers of one network reach each other by both families; those of an internal one reach nobody else.
# needs: root
. "$(dirname "$0")/../../lib-network.sh"
need_image
make_outside
minke network create n1 >/dev/null
minke network create --internal inner >/dev/null
on_net a n1
on_net b n1
on_net i inner
on_net j inner
ok minke exec a ping -c 1 -W 5 "$(address_of b n1)"
ok minke exec a ping -6 -c 1 -W 5 "$(address6_of b n1)"
ok minke exec i ping -c 1 -W 5 "$(address_of j inner)"
out ip route add default via 192.0.2.1
ok minke exec a ping -c 1 -W 5 192.0.2.2
ok minke exec a ping -6 -c 1 -W 5 2001:db8:2::2
expect_exit 1 minke exec i ping -c 1 -W 1 192.0.2.2
ok minke exec i ip route
assert_no_match default "$out"
ok minke rm -f -t 0 a b i j
nothing_left
