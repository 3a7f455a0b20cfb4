#!/bin/bash
# --cidfile and --pidfile are written; an existing id file is refused.
. "$(dirname "$0")/../../lib.sh"
need_image

id=$(start --cidfile cid --pidfile "$T/pid" "$IMG" sleep 60)
assert_eq "$id" "$(cat cid)"
assert_eq "$(minke inspect --format '{{.State.Pid}}' "$id")" "$(cat pid)"
expect_exit 125 start --cidfile cid "$IMG" true
