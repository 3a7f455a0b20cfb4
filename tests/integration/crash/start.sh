#!/bin/bash
# Killed at any step of start: the container is there, not running or running whole, and starts or
# goes.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'no failpoints'
need_image
for step in 1 2 3 4 5; do
  minke create --name "c$step" --network none -v "v$step:/v" "$IMG" sleep 100 >/dev/null
  expect_exit 137 env MINKE_FAILPOINT=engine.start:$step "$MINKE" "${engine_options[@]}" start "c$step"
  within 20 eval '[[ $(state_of "c$step") =~ ^(created|exited|running)$ ]]'
  ok minke ps -a
  is_running "c$step" || ok minke start "c$step"
  assert_eq running "$(state_of "c$step")"
  ok minke exec "c$step" true
  ok minke rm -f -t 0 "c$step"
done
ok minke ps -aq
assert_eq '' "$out"
