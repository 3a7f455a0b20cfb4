#!/bin/bash
# run --rmi removes the image at the end, unless another container uses it.
. "$(dirname "$0")/../../lib.sh"
need_image
minke create --name other --network none "$IMG" true >/dev/null

ok minke run --rmi --network none "$IMG" true
ok minke image exists "$IMG"
ok minke rm other
expect_exit 3 minke run --rmi --network none "$IMG" sh -c 'exit 3'
expect_exit 1 minke image exists "$IMG"
need_image
start --rmi "$IMG" sleep 1 >/dev/null
within 20 eval '! minke image exists "$IMG"'
assert_eq '' "$(minke ps -aq)"
