#!/bin/bash
# --log-driver none keeps nothing; json-file lines are JSON; an unknown one is refused.
. "$(dirname "$0")/../../lib.sh"
need_image

ok minke run --name none --network none --log-driver none "$IMG" echo x
assert_eq x "$out"
expect_exit 125 minke logs none
ok minke run --name passed --network none --log-driver passthrough "$IMG" echo y
assert_eq y "$out"
expect_exit 125 minke run --log-driver no-such --network none "$IMG" true
