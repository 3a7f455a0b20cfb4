#!/bin/bash
# --ip, --ip6, --mac-address, network:ip=...; taken and foreign ones are refused.
. "$(dirname "$0")/../../lib-network.sh"
need_image
minke network create --subnet 10.99.0.0/24 --subnet fd99::/64 n1 >/dev/null
minke network create n2 >/dev/null
ok minke run --rm --network n1 --ip 10.99.0.77 --ip6 fd99::77 --mac-address 44:33:22:11:00:99 "$IMG" \
  ip addr show dev eth0
assert_match 10.99.0.77/24 "$out"
assert_match fd99::77/64 "$out"
assert_match 44:33:22:11:00:99 "$out"
minke run -d --name c --network n1:ip=10.99.0.5,mac=44:33:22:11:00:98,alias=foo,interface_name=left0 --network n2 "$IMG" sleep 1000 >/dev/null
ok minke exec c ip -o -4 addr
assert_match 'left0 +inet 10.99.0.5/24' "$out"
assert_match "eth0 +inet $(address_of c n2)/" "$out"
ok minke inspect --format '{{json .NetworkSettings.Networks.n1.Aliases}}' c
assert_match '"foo"' "$out"
assert_eq 10.99.0.5 "$(address_of c n1)"
id=$(minke inspect --format '{{.Id}}' c)
assert_error 126 "requested ip address 10.99.0.5 is already allocated to container ID $id" minke run --rm --network n1 --ip 10.99.0.5 "$IMG" true
assert_error 126 'requested static ip 10.98.0.5 not in any subnet on network n1' minke run --rm --network n1 --ip 10.98.0.5 "$IMG" true
while IFS='|' read -r words text; do
  # shellcheck disable=SC2086 # words
  assert_error 125 "$text" minke create $words "$IMG"
done <<'ROWS'
--ip foo|"foo" is not an ip address
--network n1 --network n2 --ip 10.99.0.9|--ip can only be set for a single network: invalid argument
--network host --ip 10.99.0.9|--ip can only be set when the network mode is bridge: invalid argument
--network none --network-alias x|--network-alias can only be set when the network mode is bridge: invalid argument
--network n1 --network host|can only set extra network names, selected mode host conflicts with bridge: invalid argument
--network n1:foo=bar|invalid option for network n1: unknown bridge network option: foo
--network nosuch|unable to find network with name or ID nosuch: network not found
--mac-address zz|address zz: invalid MAC address
-p 80:80/foo|unrecognized protocol "foo" in port mapping
ROWS
ok minke rm -f -t 0 c
nothing_left
