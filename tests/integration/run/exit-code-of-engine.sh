#!/bin/bash
# 125 when the engine fails, 126 when the program cannot be started, 127 when there is none.
. "$(dirname "$0")/../../lib.sh"
need_image

expect_exit 125 run --no-such-flag "$IMG" true
assert_match 'unknown flag: --no-such-flag' "$err"
expect_exit 125 run --pull never localhost/nothing:latest true
expect_exit 126 run "$IMG" /etc
expect_exit 126 run "$IMG" /etc/passwd
expect_exit 127 run "$IMG" no-such-program
assert_match 'no-such-program' "$err"
expect_exit 127 run "$IMG" /no/such/program
# nothing stays behind from starts that failed
ok minke ps -aq
assert_eq '' "$out"
