#!/bin/bash
# What a container's connect is told is what the host's own is told: refused, unreachable, prohibited, timed out.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-netd.sh"
in_lab "$@"

# on-router: what stands in the way
on-router nft -f - <<'R'
table inet way {
  chain f { type filter hook forward priority 0; policy accept;
    ip daddr 203.0.113.7 tcp dport 81 reject with icmp type port-unreachable
    ip daddr 203.0.113.7 tcp dport 82 reject with icmp type host-unreachable
    ip daddr 203.0.113.7 tcp dport 83 reject with icmp type admin-prohibited
    ip daddr 203.0.113.7 tcp dport 84 drop
    ip6 daddr 2001:db8:113::7 tcp dport 82 reject with icmpv6 type addr-unreachable
    ip6 daddr 2001:db8:113::7 tcp dport 84 drop
  }
}
R
on-router sh -c 'echo 0 >/proc/sys/net/ipv4/icmp_ratelimit; echo 0 >/proc/sys/net/ipv6/icmp/ratelimit'
on-client "$PEER" serve 7 >"$T/remote" 2>&1 &
within 20 grep -q ready "$T/remote"

places=("$C4 7" "$C4 80" "$C4 81" "$C4 82" "$C4 83" "$C4 84" "192.0.2.9 80" "198.18.0.9 80" "$C6 7" "$C6 80" "$C6 82" "$C6 84"
  "2001:db8:dead::1 80" "2001:db8:beef::1 80")
# connect_all COMMAND...: to all places at once, one line for each
connect_all() {
  local i waits=()
  for i in "${!places[@]}"; do
    # shellcheck disable=SC2086 # two words
    "$@" "$PEER" connect ${places[i]} >"$T/answer.$i" &
    waits+=($!)
  done
  wait "${waits[@]}"
  for i in "${!places[@]}"; do echo "${places[i]}: $(cat "$T/answer.$i")"; done
}

check() {
  CARRY=1 make_plane "$1"
  make_container 10.89.0.2/24,fd00:89::2/64
  assert_eq "$want" "$(connect_all in_c)" 'answers'
}
# the host without a way to some places
on-server ip route add unreachable 192.0.2.0/24
on-server ip -6 route add unreachable 2001:db8:dead::/48
on-server ip route add throw 198.18.0.0/15
on-server ip -6 route add throw 2001:db8:beef::/48
want=$(connect_all on-server)
echo "$want"
assert_eq 5 "$(cut -d: -f2- <<<"$want" | grep -o '[^ ]*$' | sort -u | wc -l)" 'kinds of answers'
for_each_owner check
