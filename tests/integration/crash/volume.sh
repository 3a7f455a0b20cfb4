#!/bin/bash
# A volume create killed at any step: the volume is whole or not there, and the next listing leaves nothing of it.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'no failpoints'

for step in 1 2 3; do
  expect_exit 137 env MINKE_FAILPOINT=engine.volume:$step "$MINKE" "${engine_options[@]}" volume create --label a=b "v$step"
  ok minke volume ls -q
  assert_eq "$(if [ $step = 3 ]; then echo v3; fi)" "$out" "after step $step"
  assert_eq "$out" "$(ls -A "$T/r/volumes")" 'folders'
  ok minke volume create --ignore "v$step"
  ok minke volume inspect "v$step"
  ok minke volume rm "v$step"
done
assert_eq '' "$(ls -A "$T/r/volumes")"
