#!/bin/bash
# Killed at any step of network create, start, clean-up, connect, disconnect and rm: the next command heals it, and no
# address, port, interface or rule is left behind.
# needs: root
. "$(dirname "$0")/../../lib-network.sh"
is_podman && skip 'no failpoints'
need_image
# shellcheck disable=SC2154 # lib.sh sets engine_options
die_at() { # STEP COMMAND...
  local step=$1
  shift
  expect_exit 137 env MINKE_FAILPOINT="$step" "$MINKE" "${engine_options[@]}" "$@"
}
for step in 1 2; do
  die_at net.create:$step network create "n$step"
  ok minke network create --ignore "n$step"
  assert_eq '' "$(find "$T/r/networks" -name '.new-*' -newer "$T/nosuch" 2>/dev/null || true)"
done
for step in engine.network:{1,2,3,4,5,9} net.lease:{1,2} net.ports:1 engine.start:{4,6}; do
  minke create --name c --cap-add net_raw --network n1 --network n2 -p 8081:80 "$IMG" sleep 100 >/dev/null
  die_at "$step" start c
  within 20 eval '[[ $(state_of c) =~ ^(created|exited|running)$ ]]'
  ok minke ps -a
  is_running c || ok minke start c
  assert_eq running "$(state_of c)"
  ok minke exec c ping -c 1 -W 5 10.89.0.1
  ok minke rm -f -t 0 c
  nothing_left
done
for step in engine.network-release:{1,2}; do
  # The monitor that cleans up is the one that dies.
  MINKE_FAILPOINT=$step on_net c n1 -p 8081:80
  minke kill c >/dev/null
  within 20 is_exited c
  # the port of who has ended is free for others
  ok minke run --rm --network n1 -p 8081:80 "$IMG" true
  ok minke start c
  is_running c || fail 'it does not run'
  minke exec c ip -o -4 addr | grep -q eth0 || fail 'it has no network'
  ok minke rm -f -t 0 c
  nothing_left
done
on_net c n1
for step in engine.connect:{1,2,3,4}; do
  die_at "$step" network connect n2 c
  ok minke network connect n2 c
  ok minke exec c ip -o -4 addr show dev eth1
  assert_match 10.89.1. "$out"
  ok minke network disconnect n2 c
done
for step in engine.disconnect:{1,2,3}; do
  ok minke network connect n2 c
  die_at "$step" network disconnect n2 c
  ok minke network disconnect n2 c || true
  ok minke exec c ip -o -4 addr
  assert_no_match eth1 "$out"
done
ok minke rm -f -t 0 c
nothing_left
for step in engine.network-rm:{1,2}; do
  ok minke network create --ignore n3
  die_at "$step" network rm n3
  ok minke network rm -f n3
  ok minke network create n3
  ok minke network rm n3
done
ok minke system check
