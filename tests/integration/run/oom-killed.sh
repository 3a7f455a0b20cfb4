#!/bin/bash
# A container that the kernel ended for want of memory says so.
# needs: root
. "$(dirname "$0")/../../lib.sh"
need_image

rc=0
minke run --network none --name hungry --memory 32m "$IMG" probe eat 200 >/dev/null 2>&1 || rc=$?
assert_eq 137 $rc
assert_eq true "$(minke inspect --format '{{.State.OOMKilled}}' hungry)"
