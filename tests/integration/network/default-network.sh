#!/bin/bash
# A container is on the default network: address, gateway, default route, names in its files; the bridge stays for the next one, and goes with a reset.
. "$(dirname "$0")/../../lib-network.sh"
need_image
gateway=$(gateway_of podman) subnet=$(subnet_of podman)
minke run -d --name c --cap-add net_raw "$IMG" sleep 1000 >/dev/null
ok minke inspect c
settings=$(field "$out" '.[0].NetworkSettings')
assert_eq bridge "$(field "$out" '.[0].HostConfig.NetworkMode')"
ip=$(field "$settings" .IPAddress)
assert_match "^${gateway%.1}\.[0-9]+$" "$ip"
assert_eq "$gateway ${subnet#*/}" "$(field "$settings" '"\(.Gateway) \(.IPPrefixLen)"')"
assert_eq "$ip podman" "$(field "$settings" '.Networks.podman | "\(.IPAddress) \(.NetworkID)"')"
ok minke exec c ip -o addr show dev eth0
assert_match "$ip/${subnet#*/}" "$out"
assert_match "$(field "$settings" .GlobalIPv6Address)" "$out"
ok minke exec c ip route
assert_match "default via $gateway dev eth0" "$out"
ok minke exec c cat /sys/class/net/eth0/address
assert_eq "$(field "$settings" .MacAddress)" "$out"
ok minke exec c cat /etc/hosts
# a user's gateway is in the user's own namespace: the host is elsewhere
host=$gateway
is_root || host=$(ip -4 route get 192.0.2.1 2>/dev/null | sed -n 's/.* src \([0-9.]*\) .*/\1/p')
[ -z "$host" ] || assert_match "$host	host.containers.internal" "$out"
id=$(minke inspect --format '{{.Id}}' c)
assert_match "$ip	${id:0:12} c" "$out"
ok minke exec c ping -c 1 -W 5 "$gateway"
ok minke ps --format '{{.Networks}}'
assert_eq podman "$out"
ok minke ps -q --filter network=podman
assert_eq "${id:0:12}" "$out"
ok minke rm -f -t 0 c
nothing_left
bridges() { inside ip -br link | grep -c ^minke || true; }
assert_eq 1 "$(bridges)"
minke network create n1 >/dev/null
minke run --rm --network n1 "$IMG" true
assert_eq 2 "$(bridges)"
ok minke network rm n1
assert_eq 1 "$(bridges)"
if is_root; then
  ok minke system reset -f
  assert_eq 0 "$(bridges)"
fi
