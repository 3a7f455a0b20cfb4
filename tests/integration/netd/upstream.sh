#!/bin/bash
# What is not ours goes to the host's name servers: a change of resolv.conf is followed, a silent server does not block the
# other, TCP where UDP is closed, a truncated answer stays one, none from an internal network.
# needs: root
. "$(dirname "$0")/../../lib-names.sh"

for address in 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4; do ip addr add $address/32 dev lo; done
cp /etc/resolv.conf "$T/before" 2>/dev/null || true
echo 'nameserver 192.0.2.1' >"$T/resolv.conf"
mount --bind "$T/resolv.conf" /etc/resolv.conf
# shellcheck disable=SC2154 # it is, first
trap 'code=$?; set +e; jobs -p | xargs -r kill; umount /etc/resolv.conf; end_netd; (exit $code); cleanup' EXIT
serve() { serve_names "$T/$2" "$1" 53 "$2"; }
serve 192.0.2.1 answers
serve 192.0.2.2 silent
serve 192.0.2.3 truncates
serve 192.0.2.4 tcp-only
ip link add br0 type bridge && ip addr add 10.77.0.1/24 dev br0 && ip link set br0 up
netd start
sleeper
record web "$sleeper" front=10.77.0.2/24@10.77.0.1
netd sync "$(id_of web)"
assert_eq $'NOERROR\n192.0.2.53' "$(ask 10.77.0.1 $DNS_PORT example.org A)"
servers() {
  printf 'nameserver %s\n' "$@" >"$T/resolv.conf"
  sleep 1 # looked at twice a second
}
servers 192.0.2.2 192.0.2.1
assert_eq $'NOERROR\n192.0.2.53' "$(ask 10.77.0.1 $DNS_PORT one.example.org A)" 'beside a silent server'
for i in 1 2 3 4 5 6; do ask 10.77.0.1 $DNS_PORT "n$i.example.org" A >"$T/.out"; done
[ "$(grep -c n..example "$T/silent")" -lt 4 ] || fail 'a silent server is asked first again and again'
servers 192.0.2.3
assert_eq 'NOERROR tc' "$(ask 10.77.0.1 $DNS_PORT two.example.org A)"
assert_eq $'NOERROR\n192.0.2.53' "$(ask -t 10.77.0.1 $DNS_PORT two.example.org A)"
servers 192.0.2.4
assert_eq $'NOERROR\n192.0.2.53' "$(ask 10.77.0.1 $DNS_PORT three.example.org A)" 'a server of TCP alone'
servers 192.0.2.2
assert_eq SERVFAIL "$(ask 10.77.0.1 $DNS_PORT four.example.org A)" 'nobody answers'
servers 10.77.0.1
assert_eq SERVFAIL "$(ask 10.77.0.1 $DNS_PORT five.example.org A)" 'ourselves'
# a network's own servers are asked in place of the host's
mkdir -p "$T/r/networks"
printf '{"name":"front","id":"%s","driver":"bridge","created":"2026-01-01T00:00:00Z","dns_enabled":true,"network_dns_servers":["192.0.2.1"]}' \
  "$(id_of front)" >"$T/r/networks/front.json"
netd network front
assert_eq $'NOERROR\n192.0.2.53' "$(ask 10.77.0.1 $DNS_PORT six.example.org A)"
record web "$sleeper" front=10.77.0.2/24@10.77.0.1 -i
netd sync "$(id_of web)"
asked=$(status .dns.forwarded)
assert_eq NXDOMAIN "$(ask 10.77.0.1 $DNS_PORT seven.example.org A)" 'from an internal network'
assert_eq "$asked" "$(status .dns.forwarded)" 'questions that left'
