#!/bin/bash
# Containers of a network find each other by name, alias and id; not those of another; names follow connect and rename.
. "$(dirname "$0")/../../lib-network.sh"
need_image
minke network create n1 >/dev/null
minke network create n2 >/dev/null
on_net a n1
on_net b n1 --network-alias other
on_net c n2
ok minke exec a cat /etc/resolv.conf
assert_match $'^search dns.podman' "$out"
assert_match "nameserver $(gateway_of n1)" "$out"
found() { minke exec "$1" nslookup "$2" 2>&1 | grep -q "$3"; }
within 20 found a b "$(address_of b n1)"
within 20 found a other "$(address_of b n1)"
within 20 found b a "$(address_of a n1)"
! found a c "$(address_of c n2)" || fail 'a name of another network'
ok minke network connect n1 c
within 20 found a c "$(address_of c n1)"
ok minke network disconnect n1 c
ok minke rm -f -t 0 a b c
nothing_left
