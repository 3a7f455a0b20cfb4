#!/bin/bash
# A router's "no route" to a name server ends the wait for it at once: nothing is sent again, and the client hears that it failed.
# needs: root
. "$(dirname "$0")/../../lib-names.sh"
need_program nft

unshare --net sleep 1000 &
far=$!
in_far() { nsenter -t "$far" -n -- "$@"; }
within 20 eval '[ "$(readlink /proc/$far/ns/net)" != "$(readlink /proc/self/ns/net)" ] && [ "$(cat /proc/$far/comm)" = sleep ]'
ip link add far type veth peer name eth0 netns "$far"
ip addr add 198.18.0.1/30 dev far
ip link set far up
ip route add 198.18.9.9 via 198.18.0.2
in_far ip addr add 198.18.0.2/30 dev eth0
in_far ip link set eth0 up
in_far sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 0 >/proc/sys/net/ipv4/icmp_ratelimit'
in_far nft 'add table ip t; add chain ip t c { type filter hook prerouting priority 0; }; add counter ip t asked; add rule ip t c udp dport 53 counter name asked'

echo 'nameserver 198.18.9.9' >"$T/resolv.conf"
mount --bind "$T/resolv.conf" /etc/resolv.conf
# shellcheck disable=SC2154 # it is, first
trap 'code=$?; set +e; jobs -p | xargs -r kill; umount /etc/resolv.conf; end_netd; (exit $code); cleanup' EXIT
ip link add br0 type bridge && ip addr add 10.77.0.1/24 dev br0 && ip link set br0 up
netd start
sleeper
record web "$sleeper" front=10.77.0.2/24@10.77.0.1
netd sync "$(id_of web)"
assert_eq SERVFAIL "$(ask 10.77.0.1 $DNS_PORT example.org A)"
assert_match 'packets 1 ' "$(in_far nft list counters)" 'questions that were sent'
