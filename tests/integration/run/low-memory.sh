#!/bin/bash
# A memory limit that is too low for anything says so; a small one is taken.
# needs: root
. "$(dirname "$0")/../../lib.sh"
need_image
ok minke run --rm --network none --memory 4m "$IMG" echo here
assert_eq here "$out"
if [ -d /sys/fs/cgroup/memory ]; then
  assert_error 126 'its memory limit is too low' minke run --rm --network none --memory 1 "$IMG" true
  assert_eq '' "$(minke ps -aq)"
fi
