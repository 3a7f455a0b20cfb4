#!/bin/bash
# ps --filter: status, name, id, label, ancestor, exited, volume, before, since.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name web --label tier=front "$IMG" sleep 100 >/dev/null
minke create --name db --label tier=back --label x -v vol:/v "$IMG" true >/dev/null
expect_exit 4 minke run --name job --network none "$IMG" probe exit 4
names() { minke ps -a --format '{{.Names}}' "$@" | sort | paste -sd' '; }

assert_eq 'db job web' "$(names)"
assert_eq web "$(names --filter status=running)"
assert_eq 'db job' "$(names --filter status=created --filter status=exited)"
assert_eq web "$(names --filter name=we)"
assert_eq '' "$(names --filter name=^eb)"
assert_eq 'db web' "$(names --filter label=tier)"
assert_eq db "$(names --filter label=tier=back)"
assert_eq job "$(names --filter exited=4)"
assert_eq 'db job web' "$(names --filter ancestor=$IMG)"
assert_eq db "$(names --filter volume=vol)"
assert_eq web "$(names --filter before=db)"
assert_eq job "$(names --filter since=db)"
assert_eq db "$(names --filter "id=$(minke inspect --format '{{.Id}}' db)")"
expect_exit 125 minke ps --filter nosuch=1
