#!/bin/bash
# Twenty starts at the same time: each has an address of its own, and nothing is left of them.
. "$(dirname "$0")/../../lib-network.sh"
need_image
minke network create n1 >/dev/null
for i in {1..20}; do minke run -d --name "c$i" --cap-add net_raw --network n1 "$IMG" sleep 1000 >"$T/log$i" 2>&1 & done
wait
for i in {1..20}; do address_of "c$i" n1; done >"$T/addresses"
gateway=$(gateway_of n1)
assert_eq 20 "$(grep -c "^${gateway%.1}\." "$T/addresses")"
assert_eq 20 "$(sort -u "$T/addresses" | wc -l)"
ok minke exec c1 ping -c 1 -W 5 "$(tail -1 "$T/addresses")"
ok minke rm -f -t 0 -a
nothing_left
