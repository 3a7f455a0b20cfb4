#!/bin/bash
# A wrong flag, a missing argument or an unknown command: one line, and the way to help; 125.
. "$(dirname "$0")/../../lib.sh"
expect_exit 125 minke ps --no-such-flag
assert_match 'unknown flag: --no-such-flag' "$err"
expect_exit 125 minke no-such-command
assert_match 'no-such-command' "$err"
expect_exit 125 minke run
assert_match 'requires at least 1 arg' "$err"
expect_exit 125 minke rm
ok minke run --help
assert_match '--cap-add' "$out"
ok minke --help
assert_match 'inspect' "$out"
