#!/bin/bash
# --init: a small init is process 1, reaps orphans and passes signals on.
. "$(dirname "$0")/../../lib.sh"
need_image

ok run --init "$IMG" sh -c 'echo $$; cat /proc/1/comm'
[ "$(head -n 1 <<<"$out")" != 1 ] || fail 'the command is process 1'
expect_exit 7 run --init "$IMG" probe exit 7
id=$(start --init "$IMG" probe trap)
within 20 eval 'minke logs "$id" | grep -q ready'
ok minke stop -t 20 "$id"
assert_eq 0 "$(minke inspect --format '{{.State.ExitCode}}' "$id")"
