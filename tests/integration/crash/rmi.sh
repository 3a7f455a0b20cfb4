#!/bin/bash
# Killed at any step of rmi: the image is whole or gone, and can be loaded again.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'no failpoints'
for step in 1 2 3 4; do
  need_image
  expect_exit 137 env MINKE_FAILPOINT=store.remove:$step "$MINKE" "${engine_options[@]}" rmi "$IMG"
  ok minke images
  minke rmi -f "$IMG" >/dev/null 2>&1 || true
  need_image
  ok run "$IMG" true
  ok minke rmi -f "$IMG"
done
