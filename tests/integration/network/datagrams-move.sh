#!/bin/bash
# A client that goes on sending datagrams from one port reaches the container that has the published port now, not one that had it before.
# needs: root
. "$(dirname "$0")/../../lib-network.sh"
need_image
make_outside
own() { timeout 5 nsenter -t "$outside" -n -- "$PEER" ask udp 192.0.2.1 8053 --from 40053; }
minke network create other >/dev/null
for network in podman other podman; do
  minke run -d --name c --network $network -p 8053:53/udp "${serving[@]}" "$IMG" sleep 1000 >/dev/null
  serve c 53
  within 20 eval '[ "$(own)" = "192.0.2.2 40053 4" ]'
  minke rm -f -t 0 c >/dev/null
done
nothing_left
