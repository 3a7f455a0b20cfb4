#!/bin/bash
# Killed at any step of commit: the container runs on, no half image, nothing staged, and the next commit works.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'no failpoints'
need_image
start --name c "$IMG" sleep 1000 >/dev/null
minke exec c sh -c 'echo x >/made'
pause=()
is_root && pause=(-p)
for step in engine.commit:1 store.load:0 store.load:1 store.load:2 store.load:3 store.load:4 engine.commit:2; do
  expect_exit 137 env MINKE_FAILPOINT=$step "$MINKE" "${engine_options[@]}" commit -q "${pause[@]}" c made
  within 20 is_running c
  ok minke images
  ok minke commit -q "${pause[@]}" c made
  ok run made cat /made
  assert_eq x "$out"
  ok minke rmi made
done
assert_eq '' "$(ls -A "$T/r/staging")" 'staging'
