#!/bin/bash
# The exit code of the container's command is ours; 128+N after signal N.
. "$(dirname "$0")/../../lib.sh"
need_image

expect_exit 0 run "$IMG" true
expect_exit 1 run "$IMG" false
expect_exit 42 run "$IMG" probe exit 42
expect_exit 143 run "$IMG" probe die 15
expect_exit 137 run "$IMG" probe die 9
