#!/bin/bash
# What cannot be a network is refused in one line, and leaves nothing.
. "$(dirname "$0")/../../lib-network.sh"
ok minke network create --subnet 10.99.0.0/24 there
while IFS='|' read -r words text; do
  # shellcheck disable=SC2086 # words
  assert_error 125 "$text" minke network create $words
  [[ $words = *--route* ]] || assert_eq 1 "$(wc -l <<<"$err")" 'lines'
done <<'ROWS'
--driver foo x|unsupported driver foo: invalid argument
--ipam-driver foo x|unsupported ipam driver "foo"
--ipam-driver dhcp x|dhcp ipam driver is not supported yet
-o foo=bar x|unsupported bridge network option foo
-o mtu=many x|mtu=many: expected a number
-o vlan=5000 x|vlan=5000: expected a number from 0 to 4094
-o isolate=maybe x|isolate=maybe: expected true, false or strict
--subnet 10.99.0.0/25 x|subnet 10.99.0.0/25 is already used on the host or by another config
--subnet 127.0.0.0/24 x|subnet 127.0.0.0/24
--subnet 10.98.0.0/24 --gateway 10.97.0.1 x|gateway 10.97.0.1 not in subnet 10.98.0.0/24
--gateway 10.97.0.1 x|cannot set gateway or range without subnet
--ip-range 10.97.0.0/25 x|cannot set gateway or range without subnet
--subnet 10.98.0.0/24 --ip-range 10.97.0.0/25 x|lease range start ip 10.97.0.1 not in subnet 10.98.0.0/24
--subnet foo x|invalid CIDR address: foo
--subnet 10.98.0.0/24 --route 10.1.0.0/16 x|invalid route
--subnet 10.98.0.0/24 --route 10.1.0.0/16,10.2.0.1 x|route gateway 10.2.0.1 not in any subnet
--ipam-driver none --subnet 10.98.0.0/24 x|none ipam driver is set but subnets are given
--disable-dns --dns 1.1.1.1 x|cannot set NetworkDNSServers if DNS is not enabled
-d macvlan -o parent=lo x|macvlan driver needs at least one subnet specified
-d macvlan --subnet 10.98.0.0/24 -o parent=nosuch x|parent interface nosuch does not exist
host|cannot create network with name "host" because it conflicts with a valid network mode
a:b|network name a:b invalid: names must match
ROWS
ok minke network ls -q
assert_eq $'podman\nthere' "$out"
assert_eq 'there.json' "$(ls -A "$T/r/networks")"
