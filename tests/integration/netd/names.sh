#!/bin/bash
# Containers are found by name, alias and id on the networks they share: A, AAAA and PTR, by UDP and TCP; names of ours never leave.
. "$(dirname "$0")/../../lib-names.sh"

netd start
inside ip link add br0 type bridge && inside ip addr add 10.77.0.1/24 dev br0 && inside ip link set br0 up
inside ip addr add fd77::1/64 dev br0 nodad
sleeper
record web "$sleeper" front=10.77.0.2/24+fd77::2/64@10.77.0.1+fd77::1 -a www
record db "$sleeper" back=10.78.0.3/24@10.78.0.1
record app "$sleeper" front=10.77.0.4/24@10.77.0.1+fd77::1 back=10.78.0.4/24@10.78.0.1
for name in web db app; do netd sync "$(id_of $name)"; done
assert_eq 3 "$(status .containers)"

for name in web www WEB. web.dns.podman "$(id_of web | cut -c1-12)"; do
  assert_eq $'NOERROR aa\n10.77.0.2' "$(ask 10.77.0.1 $DNS_PORT "$name" A)" "$name"
done
assert_eq $'NOERROR aa\nfd77::2' "$(ask 10.77.0.1 $DNS_PORT web AAAA)"
assert_eq $'NOERROR aa\nfd77::2' "$(ask fd77::1 $DNS_PORT web AAAA)" 'asked by IPv6'
assert_eq $'NOERROR aa\n10.77.0.2' "$(ask -t 10.77.0.1 $DNS_PORT web A)" 'asked by TCP'
assert_eq $'NOERROR aa\nweb' "$(ask 10.77.0.1 $DNS_PORT 2.0.77.10.in-addr.arpa PTR)"
# the name is there, such a record is not; no such address; a container of another network
assert_eq 'NOERROR aa' "$(ask 10.77.0.1 $DNS_PORT web MX)"
assert_eq 'NOERROR aa' "$(ask 10.77.0.1 $DNS_PORT app AAAA)"
assert_eq 'NXDOMAIN aa' "$(ask 10.77.0.1 $DNS_PORT 9.0.77.10.in-addr.arpa PTR)"
assert_eq 'NXDOMAIN aa' "$(ask 10.77.0.1 $DNS_PORT db A)"
assert_eq 0 "$(status .dns.forwarded)" 'questions that left'
forget web
assert_no_match 10.77.0.2 "$(ask 10.77.0.1 $DNS_PORT app A)"
assert_eq 2 "$(status .containers)"
end_netd
