#!/bin/bash
# An image with containers is not removed without -f.
. "$(dirname "$0")/../../lib.sh"
need_image
id=$(minke create "$IMG" true)

expect_exit 2 minke rmi "$IMG"
assert_match "${id:0:12}" "$err"
ok minke rmi -f "$IMG"
ok minke ps -aq
assert_eq '' "$out"
