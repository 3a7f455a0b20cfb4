#!/bin/bash
# A stop killed at any step: the container runs whole or has ended, the next command tidies up, and its policy does not
# start it anew once the user has said stop.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'no failpoints'
need_image

program='trap "exit 0" TERM; echo ready; while :; do sleep 0.1; done'
for step in 1 2 3 4; do
  start --name "c$step" --restart always "$IMG" sh -c "$program" >/dev/null
  within 20 eval 'minke logs "c$step" | grep -q ready'
  expect_exit 137 env MINKE_FAILPOINT=engine.stop:$step "$MINKE" "${engine_options[@]}" stop "c$step"
  if [ $step = 1 ]; then
    assert_eq running "$(state_of c1)"
    ok minke stop c1
  fi
  within 20 is_exited "c$step"
  assert_eq 0 "$(minke inspect --format '{{.RestartCount}}' "c$step")"
  ok minke stop "c$step"
  ok minke start "c$step"
  assert_eq running "$(state_of "c$step")"
  ok minke rm -f -t 0 "c$step"
done
assert_eq '' "$(ls "$T/r/containers")"
