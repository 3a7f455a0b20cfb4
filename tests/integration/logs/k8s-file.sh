#!/bin/bash
# The log file of k8s-file: time, stream, whole or partial line, text.
. "$(dirname "$0")/../../lib.sh"
need_image

ok minke run --name c --network none --log-driver k8s-file --log-opt path="$T/log" "$IMG" sh -c 'echo out; echo err >&2; printf part'
assert_match $'(^|\n)[0-9]{4}-[0-9-]+T[0-9:.]+(Z|[+-][0-9:]{5}) stdout F out(\n|$)' "$(cat log)"
assert_match $' stderr F err(\n|$)' "$(cat log)"
assert_match $' stdout P part(\n|$)' "$(cat log)"
ok minke logs c
assert_match 'out' "$out"
assert_match 'part' "$out"
