#!/bin/bash
# stats redraws its table; --no-reset leaves what stands.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c "$IMG" sh -c 'while :; do :; done' >/dev/null
background stats -i 1 >"$T/live"
within 30 eval '[ $(grep -c AVG "$T/live") -ge 3 ]'
kill "$client"
[ "$(head -c 10 "$T/live")" = $'\033[2J\033[1;1H' ] || fail 'the screen is not cleared'
background stats -i 1 --no-reset >"$T/plain"
within 30 eval '[ $(grep -c AVG "$T/plain") -ge 2 ]'
kill "$client"
grep -q $'\033' "$T/plain" && fail 'the screen is cleared'
minke rm -f -t 0 c >/dev/null
