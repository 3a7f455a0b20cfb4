#!/bin/bash
# Killed at any step of load: no half image, and the next load works.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'no failpoints'
for step in 1 2 3 4; do
  expect_exit 137 env MINKE_FAILPOINT=store.load:$step "$MINKE" "${engine_options[@]}" load -q -i "$IMAGES/busybox.tar"
  ok minke images
  need_image
  ok run "$IMG" echo whole
  assert_eq whole "$out"
  ok minke rmi -f "$IMG"
done
assert_eq '' "$(ls -A "$T/r/staging")" 'staging'
