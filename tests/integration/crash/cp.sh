#!/bin/bash
# Killed at any step of cp: nothing is mounted or locked, and the next cp works.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'no failpoints'
need_image
minke create --name c --network none -v v:/data "$IMG" true >/dev/null
mkdir src
echo x >src/f
for step in engine.cp:1 engine.cp:2; do
  expect_exit 137 env MINKE_FAILPOINT=$step "$MINKE" "${engine_options[@]}" cp src c:/data
  ok minke cp src c:/data/
  ok minke cp c:/data/src/f back
done
ok minke start -a c
