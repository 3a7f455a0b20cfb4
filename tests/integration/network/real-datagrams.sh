#!/bin/bash
# UDP through run: a container of an ordinary user sees each client's own address and port, IPv4 and IPv6; the answers come from the address
# that was asked.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-clients.sh"
in_clients_lab "$@"

u run -d --name dns -p 8053:53/udp "${serving[@]}" busybox sleep 1000 >/dev/null
serve dns 53
assert_eq "$C4 40001 4" "$(client ask udp $S4 8053 --from 40001)"
assert_eq "$C4B 40001 4" "$(client ask udp $S4 8053 --from 40001 --bind $C4B)"
assert_eq "$C6 40001 4" "$(client ask udp $S6 8053 --from 40001)"
assert_match '^10\.88\.0\.1 [0-9]+ 4$' "$(server ask udp 127.0.0.1 8053)"
