#!/bin/bash
# containers.conf names the default network, its subnet, the pools, and what no --network means.
. "$(dirname "$0")/../../lib-network.sh"
need_image
cat >"$T/c.conf" <<'CONF'
[containers]
host_containers_internal_ip = "192.0.2.200"
[network]
default_network = "mine"
default_subnet = "10.201.0.0/24"
default_subnet_pools = [{"base" = "10.202.0.0/16", "size" = 25}]
CONF
export CONTAINERS_CONF=$T/c.conf
ok minke network ls -q
assert_eq mine "$out"
ok minke network create n1
assert_eq 10.202.0.0/25 "$(subnet_of n1)"
ok minke run --rm "$IMG" sh -c 'ip -o -4 addr show dev eth0; cat /etc/hosts'
assert_match '10.201.0.2/24' "$out"
assert_match '192.0.2.200	host.containers.internal' "$out"
printf '[containers]\nnetns = "none"\n' >"$T/c.conf"
ok minke run --rm "$IMG" ip -o link
assert_no_match eth0 "$out"
printf '[containers]\nnetns = "n1"\n' >"$T/c.conf"
ok minke run --rm "$IMG" ip -o -4 addr show dev eth0
assert_match 10.202.0. "$out"
printf '[network]\ndefault_subnet = "x"\n' >"$T/c.conf"
assert_error 125 'c.conf:2: network.default_subnet' minke network ls
