#!/bin/bash
# A command that changes a list and is killed leaves the list as it was or as it was to be, and nothing else.
. "$(dirname "$0")/../../lib.sh"
need_image
ok minke manifest create list
empty=$(minke manifest inspect list)
for step in 1 2; do
  expect_exit 137 env MINKE_FAILPOINT=store.list:$step "$MINKE" --root "$T/r" --runroot "$T/u" manifest create new$step
  expect_exit 137 env MINKE_FAILPOINT=store.list:$step "$MINKE" --root "$T/r" --runroot "$T/u" manifest add list "$IMG"
  if [ $step = 1 ]; then
    expect_exit 1 minke manifest exists new1
    assert_eq "$empty" "$(minke manifest inspect list)"
  else
    ok minke manifest rm new2
    assert_eq 1 "$(minke manifest inspect list | jq '.manifests | length')"
  fi
  ok minke manifest add list "$IMG"
  ok minke manifest annotate --variant v$step list "$(minke image inspect --format '{{.Digest}}' "$IMG")"
done
assert_eq v2 "$(minke manifest inspect list | jq -r '.manifests[].platform.variant')"
ok minke rmi -af
assert_eq '' "$(find r/images/blobs/sha256 -mindepth 1)" 'left behind'
