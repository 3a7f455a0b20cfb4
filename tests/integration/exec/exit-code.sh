#!/bin/bash
# exec returns the command's exit code; 126, 127 and 125 as run does.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c "$IMG" sleep 100 >/dev/null

expect_exit 0 minke exec c true
expect_exit 9 minke exec c probe exit 9
expect_exit 137 minke exec c probe die 9
expect_exit 127 minke exec c no-such-program
expect_exit 126 minke exec c /etc
expect_exit 125 minke exec no-such-container true
assert_match 'no such container' "${err,,}"
