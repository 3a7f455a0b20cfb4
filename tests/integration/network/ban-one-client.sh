#!/bin/bash
# As fail2ban does it: a container with NET_ADMIN bans one of two clients by nftables inside; only that one is cut off, TCP and UDP.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-clients.sh"
need_program nft
in_clients_lab "$@"

libraries=(-v /usr/sbin/nft:/bin/nft:ro -v /usr/lib:/usr/lib:ro -v /usr/lib:/lib:ro -v "$(readlink -f /lib64):/lib64:ro")
u network create mail >/dev/null
u run -d --name srv --network mail --cap-add NET_ADMIN -p 8025:25 -p 8025:25/udp "${serving[@]}" "${libraries[@]}" busybox sleep 1000 >/dev/null
serve srv 25
for from in $C4 $C4B; do
  assert_match "^$from " "$(client ask tcp $S4 8025 --bind "$from")"
  assert_match "^$from " "$(client ask udp $S4 8025 --bind "$from")"
done
u exec srv nft 'add table inet ban; add set inet ban bad { type ipv4_addr; }; add chain inet ban in { type filter hook input priority 0; };
  add rule inet ban in ip saddr @bad drop; add element inet ban bad { '$C4' }'
! client ask tcp $S4 8025 --bind $C4 || fail 'the banned client is answered (TCP)'
! client ask udp $S4 8025 --bind $C4 || fail 'the banned client is answered (UDP)'
assert_match "^$C4B " "$(client ask tcp $S4 8025 --bind $C4B)"
assert_match "^$C4B " "$(client ask udp $S4 8025 --bind $C4B)"
assert_match "^$C6 " "$(client ask tcp $S6 8025)"
assert_match '^10\.89\.0\.1 ' "$(server ask tcp 127.0.0.1 8025)"
u exec srv nft flush set inet ban bad
assert_match "^$C4 " "$(client ask tcp $S4 8025 --bind $C4)"
