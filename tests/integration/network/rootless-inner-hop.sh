#!/bin/bash
# What a rootless container sends ends on this machine, so its routes say that nobody need pace himself there; its own setting stays.
# needs: user
. "$(dirname "$0")/../../lib-network.sh"
need_image
ok minke network create n1
ok minke network create --route 192.0.2.0/24,10.89.9.1 --subnet 10.89.9.0/24 n2
on_net a n1
ok minke network connect n2 a
ok minke inspect --format '{{.State.Pid}}' a
ok nsenter -t "$out" -U --preserve-credentials -n ip route show
assert_match 'default via [0-9.]+ dev eth0 .*congctl reno' "$out"
assert_match '192.0.2.0/24 via 10.89.9.1 dev eth1 .*congctl reno' "$out"
ok minke exec a cat /proc/sys/net/ipv4/tcp_congestion_control
assert_eq "$(cat /proc/sys/net/ipv4/tcp_congestion_control)" "$out"
ok minke rm -f -t 0 a
ok minke network rm n1 n2
