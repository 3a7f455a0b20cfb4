#!/bin/bash
# rm -fa removes containers that share another's network with it, whatever the order.
. "$(dirname "$0")/../../lib-network.sh"
need_image
for round in 1 2 3; do
  minke run -d --name a "$IMG" sleep 1000 >/dev/null
  minke run -d --name b --network container:a "$IMG" sleep 1000 >/dev/null
  minke run -d --name c --network container:a "$IMG" sleep 1000 >/dev/null
  minke run -d --name d --network container:b "$IMG" sleep 1000 >/dev/null
  ok minke rm -fa -t 0
  assert_eq '' "$(minke ps -aq)" "round $round"
done
nothing_left
