#!/bin/bash
# --tmpfs with size and mode; its content is gone after a restart.
. "$(dirname "$0")/../../lib.sh"
need_image

probe mounts -- --tmpfs /scratch:size=1m,mode=1770
mount=$(jq -c '.mounts[] | select(.target == "/scratch")' <<<"$out")
assert_match 'size=1024k' "$(field "$mount" .super)"
assert_match 'nosuid' "$(field "$mount" .options)"
expect_exit 1 run --tmpfs /scratch:size=1m "$IMG" dd if=/dev/zero of=/scratch/f bs=1M count=2
assert_match 'No space' "$err"
