#!/bin/bash
# kill sends KILL or the signal asked for, by name or number.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c "$IMG" probe trap >/dev/null
within 20 eval 'minke logs c | grep -q ready'

ok minke kill -s USR1 c
ok minke kill -s SIGUSR2 c
ok minke kill -s 1 c
within 20 eval 'minke logs c | grep -q "signal 1$"'
assert_eq $'ready\nsignal 10\nsignal 12\nsignal 1' "$(minke logs c)"
expect_exit 125 minke kill -s NOSUCH c
ok minke kill c
assert_eq 137 "$(minke wait c)"
expect_exit 125 minke kill c
assert_match 'running' "$err"
