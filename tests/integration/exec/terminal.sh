#!/bin/bash
# exec -t has a terminal.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c "$IMG" sleep 100 >/dev/null

ok minke exec -t c sh -c 'test -t 0 && test -t 1 && tty'
assert_match '/dev/pts/' "$out"
