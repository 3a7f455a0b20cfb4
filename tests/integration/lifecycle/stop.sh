#!/bin/bash
# stop sends the stop signal and waits; the exit code is the command's.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c --stop-signal USR1 "$IMG" probe trap 10 >/dev/null
within 20 eval 'minke logs c | grep -q ready'

ok minke stop -t 60 c
assert_eq c "$out"
assert_eq 'exited 0' "$(minke inspect --format '{{.State.Status}} {{.State.ExitCode}}' c)"
assert_match 'signal 10' "$(minke logs c)"
ok minke stop c
