#!/bin/bash
# Several containers get their stop signal at once: the first can wait for what the last does at its end.
. "$(dirname "$0")/../../lib.sh"
need_image
mkdir v && chmod 777 v
loop='echo ready; while :; do sleep 0.1; done'
start -v "$T/v:/v" --name a "$IMG" sh -c "trap 'while [ ! -e /v/b ]; do sleep 0.1; done; exit 3' TERM; $loop" >/dev/null
start -v "$T/v:/v" --name b "$IMG" sh -c "trap 'touch /v/b; exit 4' TERM; $loop" >/dev/null
for name in a b; do within 20 eval "minke logs $name | grep -q ready"; done
ok minke stop -t 60 a b
assert_eq "$(printf 'a\nb')" "$out"
assert_eq '3 4' "$(minke inspect --format '{{.State.ExitCode}}' a b | paste -sd' ')"

rm v/b
ok minke start a b
for name in a b; do within 20 eval "[ \$(minke logs $name | grep -c ready) = 2 ]"; done
ok minke rm -f -t 60 a b
[ -e v/b ] || fail 'b was killed without its stop signal'
