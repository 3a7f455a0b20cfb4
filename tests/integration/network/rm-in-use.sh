#!/bin/bash
# A network that containers are on stays, unless it is forced: then they go; prune leaves it.
. "$(dirname "$0")/../../lib-network.sh"
need_image
minke network create n1 >/dev/null
minke network create n2 >/dev/null
on_net c n1
minke create --name d --network n1 "$IMG" >/dev/null
assert_error 2 '"n1" has associated containers with it. Use -f to forcibly delete containers and pods: network is being used' minke network rm n1
ok minke network ls -q --filter dangling=true
assert_eq n2 "$out"
ok minke network prune -f
assert_eq n2 "$out"
ok minke network rm -f -t 0 n1
ok minke ps -aq
assert_eq '' "$out"
minke network create n3 >/dev/null
ok minke system prune -f
assert_match $'Deleted Networks\nn3' "$out"
nothing_left
