#!/bin/bash
# Who needs long to end has the whole grace of --stop-timeout or -t; who does not end is killed then, and not before.
. "$(dirname "$0")/../../lib.sh"
need_image

slow='trap "sleep 4; echo finished; exit 7" TERM; echo ready; while :; do sleep 0.1; done'
deaf='trap "" TERM; echo ready; while :; do sleep 0.1; done'
ready() { minke logs "$1" | grep -q ready; }
start --name slow --stop-timeout 60 "$IMG" sh -c "$slow" >/dev/null
start --name told "$IMG" sh -c "$slow" >/dev/null
start --name deaf --stop-timeout 3 "$IMG" sh -c "$deaf" >/dev/null
for name in slow told deaf; do within 30 ready $name; done

ok minke stop slow
assert_eq 7 "$(minke inspect --format '{{.State.ExitCode}}' slow)"
assert_match finished "$(minke logs slow)"
ok minke stop -t 60 told
assert_eq 7 "$(minke inspect --format '{{.State.ExitCode}}' told)"
before=$EPOCHREALTIME
ok minke stop deaf
took=$(((${EPOCHREALTIME/./} - ${before/./}) / 1000))
assert_eq 137 "$(minke inspect --format '{{.State.ExitCode}}' deaf)"
[ $took -ge 2900 ] || fail "killed after $took ms of 3000"
