#!/bin/bash
# A container that ignores its stop signal is killed after the timeout.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c "$IMG" probe sleep 100 >/dev/null

began=$SECONDS
ok minke stop -t 1 c
[ $((SECONDS - began)) -lt 9 ] || fail 'the default timeout was waited for'
assert_eq 137 "$(minke inspect --format '{{.State.ExitCode}}' c)"
