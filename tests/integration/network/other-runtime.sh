#!/bin/bash
# Another OCI runtime's container is on its networks too.
# needs: root
. "$(dirname "$0")/../../lib-network.sh"
need_program crun
need_image
make_outside
ok minke --runtime crun run --rm -p 8081:80 "$IMG" sh -c 'ip -o -4 addr show dev eth0; ip route'
assert_match '10.88.0.[0-9]+/16' "$out"
assert_match 'default via 10.88.0.1' "$out"
nothing_left
