#!/bin/bash
# --network slirp4netns[:options]: device, addresses, names, published ports; the helper lives as long as its container.
. "$(dirname "$0")/../../lib-network.sh"
need_image
need_program slirp4netns
[ -w /dev/net/tun ] || skip 'no /dev/net/tun'
need_ports 2
ok minke run --rm --name c --network slirp4netns "$IMG" sh -c 'ip -o -4 addr show dev tap0; ip route; cat /etc/hosts /etc/resolv.conf; cat /sys/class/net/tap0/mtu'
assert_match '10\.0\.2\.100/24' "$out"
assert_match 'default via 10\.0\.2\.2 dev tap0' "$out"
assert_match $'10\\.0\\.2\\.100\t[0-9a-f]{12} c' "$out"
assert_match 'nameserver 10\.0\.2\.3' "$out"
assert_match '65520' "$out"
ok minke run --rm --network slirp4netns:cidr=10.9.0.0/24,mtu=1400,enable_ipv6=false --dns 192.0.2.53 "$IMG" \
  sh -c 'ip -o addr show dev tap0; cat /etc/resolv.conf; cat /sys/class/net/tap0/mtu'
assert_match '10\.9\.0\.100/24' "$out"
assert_match '1400' "$out"
assert_no_match 'nameserver 10\.|fd00' "$out"
assert_match 'nameserver 192\.0\.2\.53' "$out"

address=$(ip -4 -o addr show scope global | awk 'NR == 1 {sub("/.*", "", $4); print $4}')
# ports, whoever handles them: clients are seen as they are. A user's by minke-netd, to which this host is the gateway by any address
for handler in rootlesskit slirp4netns; do
  by=slirp4netns own=$address
  # shellcheck disable=SC2034 # in eval
  is_root || [ $handler = slirp4netns ] || by=minke-netd own=10.0.2.2
  minke run -d --name s --network "slirp4netns:port_handler=$handler" -p "${port[0]}:80" -p "${port[1]}:81/udp" "${serving[@]}" \
    "$IMG" sh -c 'netpeer serve 80 & netpeer serve 81 & exec sleep 1000' >/dev/null
  within 20 eval '[ "$(seen_as tcp 127.0.0.1 "${port[0]}")" = 10.0.2.2 ]'
  [ -z "$address" ] || within 20 eval '[ "$(seen_as udp "$address" "${port[1]}")" = "$own" ]'
  ok minke inspect --format '{{.HostConfig.NetworkMode}} {{.NetworkSettings.PortHandler}}' s
  assert_eq "slirp4netns $by" "$out"
  ok minke port s 80
  assert_eq "0.0.0.0:${port[0]}" "$out"
  assert_error 126 'address already in use|container' minke run --rm --network slirp4netns -p "${port[0]}:80" "$IMG" true
  ok minke restart -t 0 s
  within 20 eval '[ "$(seen_as tcp 127.0.0.1 "${port[0]}")" = 10.0.2.2 ]'
  helper=$(cut -d' ' -f1 "$T"/u/containers/*/helper.pid)
  kill -0 "$helper"
  # with the monitor dies the helper, before anybody cleans up
  kill -9 "$(minke inspect --format '{{.State.ConmonPid}}' s)"
  within 20 eval '! kill -0 $helper'
  ok minke rm -f -t 0 s
done
steps='engine.helper:1 engine.helper:2 engine.helper:3 engine.start:4'
is_root || steps+=' engine.helper-ports:1 engine.helper-ports:2'
for step in $steps; do
  # shellcheck disable=SC2154 # lib.sh sets it
  (export MINKE_FAILPOINT=$step && exec "$MINKE" "${engine_options[@]}" run -d --name k --network slirp4netns -p "${port[0]}:80" "$IMG" sleep 1000) >/dev/null 2>&1 && fail "$step"
  minke rm -f -t 0 -i k >/dev/null
  ok minke run --rm --network slirp4netns -p "${port[0]}:80" "$IMG" true
done
# the monitor that cleans up dies between the helper's end and the release of its ports
MINKE_FAILPOINT=engine.helper-end:1 minke run -d --name k --network slirp4netns -p "${port[0]}:80" "$IMG" sleep 1000 >/dev/null
helper=$(cut -d' ' -f1 "$T"/u/containers/*/helper.pid)
# shellcheck disable=SC2034 # in eval
monitor=$(minke inspect --format '{{.State.ConmonPid}}' k)
minke kill k >/dev/null
within 20 eval '! kill -0 $monitor'
within 20 eval '! kill -0 $helper'
[ -n "$(ls -A "$T/u/ports")" ] || fail 'its ports are not kept: the clean-up was not killed there'
ok minke run --rm --network slirp4netns -p "${port[0]}:80" "$IMG" true
ok minke start k
ok minke rm -f -t 0 k
nothing_left

for words in 'foo=1|unknown option for slirp4netns: "foo=1"' 'mtu=x|invalid mtu "x"' 'cidr=fd00::/64|invalid cidr "fd00::/64"' \
  'port_handler=x|unknown port_handler for slirp4netns: "x"' 'outbound_addr=zz|invalid outbound_addr "zz"'; do
  assert_error 126 "${words#*|}" minke run --rm --network "slirp4netns:${words%%|*}" "$IMG" true
done
assert_error 126 'does not listen on IPv6' minke run --rm --network slirp4netns:port_handler=slirp4netns -p '[::1]:8081:80' "$IMG" true
assert_error 125 'ip can only be set when the network mode is bridge' minke run --rm --network slirp4netns --ip 10.0.2.7 "$IMG" true
