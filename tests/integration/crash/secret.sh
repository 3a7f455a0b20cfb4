#!/bin/bash
# A secret create, replace or rm killed at any step: the old one or the new one is whole, and the next create heals.
. "$(dirname "$0")/../../lib.sh"

printf old >"$T/old"; printf new >"$T/new"
for step in 1 2 3 4; do
  ok minke secret create --replace x "$T/old"
  expect_exit 137 env MINKE_FAILPOINT=engine.secret:$step "$MINKE" "${engine_options[@]}" secret create --replace x "$T/new"
  ok minke secret inspect --showsecret -f '{{.SecretData}}' x
  assert_eq "$([ $step = 4 ] && echo new || echo old)" "$out" "step $step"
  expect_exit 137 env MINKE_FAILPOINT=engine.secret:$step "$MINKE" "${engine_options[@]}" secret create "y$step" "$T/new"
  ok minke secret create z "$T/new"
  ok minke secret rm z
  assert_eq '' "$(find "$T/r/secrets" -mindepth 1 -maxdepth 1 ! -name '*.d')" "left after step $step"
done
ok minke secret ls -q
assert_eq 2 "$(wc -l <<<"$out")"
for step in 1 2; do
  ok minke secret create --replace x "$T/old"
  expect_exit 137 env MINKE_FAILPOINT=engine.secret-rm:$step "$MINKE" "${engine_options[@]}" secret rm x
  ok minke secret rm --ignore x
  expect_exit 1 minke secret exists x
done
ok minke secret create x "$T/old"
assert_eq '' "$(find "$T/r/secrets" -mindepth 1 -maxdepth 1 ! -name '*.d')" 'left by rm'
