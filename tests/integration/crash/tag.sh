#!/bin/bash
# A tag or untag killed before its commit has changed nothing, and the next one works.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'no failpoints'
need_image
killed() { expect_exit 137 env "MINKE_FAILPOINT=$1" "$MINKE" "${engine_options[@]}" "${@:2}"; }
before=$(minke images)
killed store.tag:1 tag "$IMG" localhost/other:1
assert_eq "$before" "$(minke images)"
ok minke tag "$IMG" localhost/other:1
both=$(minke images)
killed store.untag:1 untag localhost/other:1
assert_eq "$both" "$(minke images)"
ok minke untag localhost/other:1 localhost/other:1
assert_eq "$before" "$(minke images)"
ok run "$IMG" true
