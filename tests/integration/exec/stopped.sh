#!/bin/bash
# exec needs a running container.
. "$(dirname "$0")/../../lib.sh"
need_image
minke create --name c --network none "$IMG" true >/dev/null

expect_exit 255 minke exec c true
assert_match 'running' "$err"
