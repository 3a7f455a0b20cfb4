#!/bin/bash
# A user's published ports: tcp and udp; clients on this host are seen as the network's gateway. They outlive a killed netd.
# needs: user
. "$(dirname "$0")/../../lib-network.sh"
need_image
need_ports 3
minke network create n1 >/dev/null
minke run -d --name c --network n1 -p "${port[0]}:80" -p "127.0.0.1:${port[1]}:81" -p "${port[2]}:83/udp" "${serving[@]}" "$IMG" sleep 1000 >/dev/null
on_net d n1
serve c 80
serve c 81
serve c 83
gateway=$(minke network inspect --format '{{(index .Subnets 0).Gateway}}' n1)
assert_eq "$gateway" "$(seen_as tcp 127.0.0.1 "${port[0]}")"
assert_eq "$gateway" "$(seen_as tcp 127.0.0.1 "${port[1]}")"
assert_eq "$gateway" "$(seen_as udp 127.0.0.1 "${port[2]}")"
ok minke port c 80
assert_eq "0.0.0.0:${port[0]}" "$out"
assert_error 126 "${port[0]}" minke run --rm -p "${port[0]}:80" "$IMG" true
assert_error 125 '90/sctp is not supported for users' minke create -p 8090:90/sctp "$IMG" true

netd_pid() { minke system netd status | jq .pid; }
first=$(netd_pid)
for _ in 1 2; do
  kill -9 "$(netd_pid)"
  within 20 eval '[ "$(seen_as tcp 127.0.0.1 "${port[0]}")" = "$gateway" ]'
  within 20 eval '[ "$(seen_as udp 127.0.0.1 "${port[2]}")" = "$gateway" ]'
  within 20 eval 'minke exec d nslookup c 2>&1 | grep -q "$(address_of c n1)"'
done
[ "$first" != "$(netd_pid)" ] || fail 'the same process'
ok minke rm -f -t 0 c d
! timeout 5 "$PEER" ask tcp 127.0.0.1 "${port[0]}" >/dev/null 2>&1 || fail 'still published'
nothing_left
