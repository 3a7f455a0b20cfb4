#!/bin/bash
# The second command of a login joins what the first one made; containers go on between them.
# needs: user
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c "$IMG" sleep 100 >/dev/null

ns=$(minke exec c readlink /proc/self/ns/user)
ok minke exec c readlink /proc/self/ns/user
assert_eq "$ns" "$out"
ok minke exec c cat /proc/1/comm
assert_eq sleep "$out"
ok minke stop -t 0 c
