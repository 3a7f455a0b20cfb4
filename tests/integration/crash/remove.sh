#!/bin/bash
# Killed at any step of rm: the next rm finishes, and the name is free.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'no failpoints'
need_image
for step in 1 2 3; do
  minke create --name "c$step" --network none -v /anonymous "$IMG" true >/dev/null
  expect_exit 137 env MINKE_FAILPOINT=engine.remove:$step "$MINKE" "${engine_options[@]}" rm -v "c$step"
  ok minke ps -a
  ok minke rm -f -v "c$step"
  ok run --name "c$step" "$IMG" true
done
ok minke ps -aq
assert_eq '' "$out"
