#!/bin/bash
# minke runs its containers with --runtime crun.
# needs: root
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'it does'
need_program crun
need_image

rc=0
crun --root "$T/probe-crun" spec -f "$T/x.json" 2>/dev/null || true
minke --runtime crun run --rm --network none "$IMG" true >o 2>&1 || rc=$?
! grep -q 'hybrid mode not supported' o || skip 'crun refuses the cgroups of this machine'
assert_eq 0 $rc "$(cat o)"
expect_exit 5 minke --runtime crun run --rm --network none "$IMG" probe exit 5
