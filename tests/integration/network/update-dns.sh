#!/bin/bash
# network update adds and takes away DNS servers.
. "$(dirname "$0")/../../lib-network.sh"
ok minke network create --dns 192.0.2.1 n1
ok minke network update --dns-add 192.0.2.2,192.0.2.3 --dns-drop 192.0.2.1 n1
ok minke network inspect n1
assert_eq '192.0.2.2 192.0.2.3' "$(field "$out" '.[0].network_dns_servers | join(" ")')"
assert_error 125 'unable to parse ip x' minke network update --dns-add x n1
assert_error 125 'DNS server 192.0.2.9 is not one of network n1' minke network update --dns-drop 192.0.2.9 n1
assert_error 125 'unable to find network' minke network update --dns-add 192.0.2.1 nosuch
