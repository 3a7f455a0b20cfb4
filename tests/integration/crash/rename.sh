#!/bin/bash
# A rename or update killed at any step is whole or undone, and no name stays taken.
. "$(dirname "$0")/../../lib.sh"
need_image
minke create --network none --name old "$IMG" true >/dev/null
for step in 1 2 3 4 5; do
  expect_exit 137 env MINKE_FAILPOINT=engine.rename:$step "$MINKE" "${engine_options[@]}" rename old new
  if minke container exists new && [ "$(minke inspect -f '{{.Name}}' new)" = new ]; then
    expect_exit 1 minke container exists old
    ok minke rename new old
  fi
  assert_eq old "$(minke inspect -f '{{.Name}}' old)" "name after step $step"
  expect_exit 1 minke container exists new
  id=$(minke create --network none --name new "$IMG" true)
  ok minke rm "$id"
  assert_eq old "$(ls "$T/r/names")" "names after step $step"
done
for step in 1 2 3; do
  expect_exit 137 env MINKE_FAILPOINT=engine.update:$step "$MINKE" "${engine_options[@]}" update --env "A=$step" old
  ok minke update --env B=$step old
done
# removed in the middle of a rename
expect_exit 137 env MINKE_FAILPOINT=engine.rename:3 "$MINKE" "${engine_options[@]}" rename old new
ok minke rm old
assert_eq '' "$(ls "$T/r/names")" names
