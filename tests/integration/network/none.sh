#!/bin/bash
# --network none: the loopback device alone, and that is up.
. "$(dirname "$0")/../../lib.sh"
need_image
ok minke run --rm --network none --cap-add net_raw "$IMG" sh -c 'ip -o -4 addr; ping -c 1 -W 5 127.0.0.1'
assert_match '^1: lo' "$out"
assert_match '127.0.0.1/8' "$out"
assert_no_match 'eth0' "$out"
