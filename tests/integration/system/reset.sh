#!/bin/bash
# system reset stops and removes everything of ours, and nothing else that lies in its folders.
. "$(dirname "$0")/../../lib.sh"
need_image

ok start --name up -v v:/d -v /anon "$IMG" sleep 1000
ok minke create --name old "$IMG" true
echo s >"$T/s"; ok minke secret create s "$T/s"
echo mine >"$T/r/not-ours"
assert_error 125 EOF minke system reset
assert_match $'WARNING! This will remove:\n        - all containers\n' "$out"
is_running up || fail 'removed without being asked to'
ok minke system reset -f
assert_eq not-ours "$(ls "$T/r")"
assert_eq '' "$(find "$T/u" -mindepth 1 -maxdepth 1 ! -name "*userns*" ! -name "*lock*" -printf "%f " 2>/dev/null)"
rm "$T/r/not-ours"
need_image
ok run "$IMG" echo again
assert_eq again "$out"
ok minke system reset -f
[ ! -e "$T/r" ] || fail "left: $(ls "$T/r")"
