#!/bin/bash
# From a user's container to the host's own address: tcp and udp answer, a refusal is one; its loopback is not there.
# needs: user
. "$(dirname "$0")/../../lib-network.sh"
need_image
command -v slirp4netns pasta >/dev/null || skip 'neither slirp4netns nor pasta is installed: nothing carries UDP'
address=$(ip -4 -o addr show scope global | awk 'NR == 1 {sub("/.*", "", $4); print $4}')
[ -n "$address" ] || skip 'this host has no address but its loopback'
need_ports 3
"$PEER" serve "${port[0]}" "$address" >/dev/null &
"$PEER" serve "${port[1]}" 127.0.0.1 >/dev/null &
within 20 timeout 5 "$PEER" ask tcp "$address" "${port[0]}"
within 20 timeout 5 "$PEER" ask tcp 127.0.0.1 "${port[1]}"
minke network create n1 >/dev/null
minke network create --internal n2 >/dev/null
for network in podman n1; do
  minke run -d --name "c-$network" --network "$network" "${serving[@]}" "$IMG" sleep 1000 >/dev/null
  ok minke exec "c-$network" timeout 20 netpeer ask tcp "$address" "${port[0]}"
  assert_match "^$address [0-9]+" "$out"
  ok minke exec "c-$network" timeout 20 netpeer ask udp "$address" "${port[0]}"
  assert_match "^$address [0-9]+" "$out"
  ok minke exec "c-$network" timeout 20 netpeer connect "$address" "${port[2]}"
  assert_match 'ECONNREFUSED' "$out"
  gateway=$(minke exec "c-$network" ip route | sed -n 's/^default via \([0-9.]*\) .*/\1/p')
  expect_exit 0 minke exec "c-$network" timeout 20 netpeer connect "$gateway" "${port[1]}"
  assert_no_match '^ok' "$out"
done
minke run -d --name inner --network n2 "${serving[@]}" "$IMG" sleep 1000 >/dev/null
assert_no_match '^ok' "$(minke exec inner timeout 10 netpeer connect "$address" "${port[0]}" 2>&1 || true)"
ok minke rm -f -t 0 c-podman c-n1 inner
nothing_left
