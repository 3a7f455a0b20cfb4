#!/bin/bash
# --network slirp4netns with published ports: minke-netd serves them from within the container (port_handler unset or rootlesskit), which sees
# each client's own address and port, TCP and UDP, IPv4 and IPv6; this host is the gateway. Answers to others go out as ever.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-clients.sh"
in_clients_lab "$@"
on-server sh -c 'command -v slirp4netns' >/dev/null || skip 'no slirp4netns'

for mode in slirp4netns slirp4netns:port_handler=rootlesskit; do
  u run -d --name s --network "$mode" -p 8025:25 -p 8053:53/udp "${serving[@]}" busybox sleep 1000 >/dev/null
  assert_eq minke-netd "$(u inspect --format '{{.NetworkSettings.PortHandler}}' s)"
  serve s 25
  serve s 53
  assert_eq "$C4 40001" "$(client ask tcp $S4 8025 --from 40001)"
  assert_eq "$C6 40001" "$(client ask tcp $S6 8025 --from 40001)"
  assert_eq "$C4 40001 4" "$(client ask udp $S4 8053 --from 40001)"
  assert_eq "$C4B 40001 4" "$(client ask udp $S4 8053 --from 40001 --bind $C4B)"
  assert_eq "$C6 40001 4" "$(client ask udp $S6 8053 --from 40001)"
  # The helper tells of its prefix. An address of it would be the newest, and the source of answers: it must not come.
  within 60 eval 'u exec s ip -6 route | grep -q "default via fe80"'
  [[ $(u exec s ip -6 addr show dev tap0) != *dynamic* ]] || fail 'another address of IPv6 has come'
  assert_eq "$C6 40001 4" "$(client ask udp $S6 8053 --from 40001)"
  assert_match '^10\.0\.2\.2 ' "$(server ask tcp 127.0.0.1 8025)"
  assert_match '^10\.0\.2\.2 ' "$(server ask udp 127.0.0.1 8053)"
  assert_match '^10\.0\.2\.2 ' "$(server ask tcp $S4 8025)"
  # what the container begins itself is the helper's, from a published port as from any
  on-client "$PEER" serve 9 >"$T/far" 2>&1 &
  within 20 grep -q ready "$T/far"
  assert_eq "$S4" "$(u exec s netpeer ask tcp $C4 9 | cut -d' ' -f1)"
  assert_eq "$S4" "$(u exec s netpeer ask udp $C4 9 --from 5300 | cut -d' ' -f1)"
  kill $!
  # another netd is told of the container by its monitor
  kill -9 "$(u system netd status | jq .pid)"
  within 30 eval '[ "$(client ask tcp $S4 8025 --from 40002 2>/dev/null)" = "$C4 40002" ]'
  ok u restart -t 0 s
  serve s 25
  within 20 eval '[ "$(client ask tcp $S4 8025 --from 40003 2>/dev/null)" = "$C4 40003" ]'
  ok u rm -f -t 0 s
  client ask tcp $S4 8025 >/dev/null 2>&1 && fail 'the port is still open'
done
# without IPv6 nobody is disguised: it is not published there; and the PROXY header tells the client too
u run -d --name s --network slirp4netns:enable_ipv6=false -p 8025:25 "${serving[@]}" busybox netpeer serve 25 >/dev/null
within 20 eval '[ "$(client ask tcp $S4 8025 --from 40004 2>/dev/null)" = "$C4 40004" ]'
client ask tcp $S6 8025 >/dev/null 2>&1 && fail 'published on IPv6'
ok u rm -f -t 0 s
u run -d --name s --network slirp4netns -p 8026:26,proxy=v1 busybox sh -c 'nc -l -p 26 >/got; touch /done; sleep 1000' >/dev/null
within 20 eval 'u exec s netstat -lnt | grep -q ":26 "'
on-client timeout 10 bash -c "exec 3<>/dev/tcp/$S4/8026; printf 'hello\n' >&3; sleep 0.2"
within 20 u exec s test -e /done
assert_match "^PROXY TCP4 $C4 $S4 [0-9]+ 8026" "$(u exec s cat /got)"
ok u rm -f -t 0 s
