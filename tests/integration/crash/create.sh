#!/bin/bash
# Killed at any step of create: nothing is half there, and the name can be used again.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'no failpoints'
need_image
for step in 1 2 3 4 5; do
  expect_exit 137 env MINKE_FAILPOINT=engine.create:$step "$MINKE" "${engine_options[@]}" create --name "c$step" --network none "$IMG" true
  ok minke ps -a --format '{{.Names}} {{.State}}'
  assert_match '^$|^c5 ' "$out" "list after step $step"
  ok minke rm -f "c$step"
  ok run --name "c$step" "$IMG" true
done
ok minke ps -aq
assert_eq '' "$out"
