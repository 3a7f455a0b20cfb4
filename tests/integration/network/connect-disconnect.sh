#!/bin/bash
# A running container gets on networks and off them; a stopped one keeps what was asked; events tell.
. "$(dirname "$0")/../../lib-network.sh"
need_image
minke network create n1 >/dev/null
minke network create n2 >/dev/null
on_net c n1
on_net d n2
gateway=$(gateway_of n2) first=$(gateway_of n1)
fixed=${gateway%.1}.44
id=$(minke inspect --format '{{.Id}}' c)
ok minke network connect --alias x --ip "$fixed" n2 c
assert_eq "$fixed" "$(address_of c n2)"
ok minke exec c ip -o -4 addr show dev eth1
assert_match "$fixed/24" "$out"
ok minke exec d ping -c 1 -W 5 "$fixed"
ok minke exec c cat /etc/hosts
assert_match "$fixed	" "$out"
assert_error 125 "container $id is already connected to network \"n2\": network is already connected" minke network connect n2 c
ok minke network inspect n2 --format '{{range $id, $c := .Containers}}{{$c.Name}} {{end}}'
assert_match 'c d |d c ' "$out"
ok minke network disconnect n1 c
ok minke exec c ip -o -4 addr
assert_no_match 'eth0' "$out"
assert_error 125 'container c is not connected to network n1' minke network disconnect n1 c
assert_error 125 'unable to find network with name or ID nosuch: network not found' minke network connect nosuch c
assert_error 125 'no container with name or ID "nosuch" found: no such container' minke network connect n1 nosuch
ok minke restart -t 0 c
assert_eq "$fixed" "$(address_of c n2)"
minke stop -t 0 c >/dev/null
ok minke network connect n1 c
ok minke network connect n1 c
ok minke start c
assert_match "^${first%.1}\." "$(address_of c n1)"
ok minke events --stream=false --filter type=network
assert_match "network connect $id \(container=$id, name=n2\)" "$out"
assert_match "network disconnect $id \(container=$id, name=n1\)" "$out"
assert_match 'network create [0-9a-f]+ \(name=n1, type=bridge\)' "$out"
minke create --name e --network none "$IMG" >/dev/null
assert_error 125 'is not supported: invalid network mode' minke network connect n1 e
ok minke rm -f -t 0 c d
nothing_left
