#!/bin/bash
# Addresses of a container that was killed with its monitor are free for the next one that wants them, a fixed one and the last one.
. "$(dirname "$0")/../../lib-network.sh"
need_image
minke network create --ipv6=false --subnet 10.99.3.0/30 n1 >/dev/null # one address beside the gateway's
for words in '' '--ip 10.99.3.2'; do
  minke run -d --name dead --network n1 "$IMG" sleep 1000 >/dev/null
  [ "$(address_of dead n1)" = 10.99.3.2 ] || fail "not the only address"
  # A living one keeps it.
  # shellcheck disable=SC2086 # words
  assert_error 126 'IPAM error' minke run --rm --network n1 $words "$IMG" true
  pid=$(minke inspect --format '{{.State.Pid}}' dead)
  kill -9 "$(minke inspect --format '{{.State.ConmonPid}}' dead)" "$pid"
  within 20 eval '! kill -0 $pid'
  # shellcheck disable=SC2086
  ok minke run --rm --network n1 $words "$IMG" ip -o -4 addr show dev eth0
  assert_match 10.99.3.2/30 "$out"
  assert_eq exited "$(minke inspect --format '{{.State.Status}}' dead)"
  ok minke rm dead
done
nothing_left
