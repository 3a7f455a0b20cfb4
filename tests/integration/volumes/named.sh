#!/bin/bash
# A named volume is made when first used, lives on, and is removed by rm.
. "$(dirname "$0")/../../lib.sh"
need_image

ok run -v data:/data "$IMG" sh -c 'echo kept >/data/f'
ok minke volume ls -q
assert_eq data "$out"
ok run -v data:/d2:ro "$IMG" cat /d2/f
assert_eq kept "$out"
mountpoint=$(minke volume inspect --format '{{.Mountpoint}}' data)
assert_match "^$T/r.*/data/_data$" "$mountpoint"
minke create --name user -v data:/data "$IMG" true >/dev/null
expect_exit 2 minke volume rm data
assert_match 'being used' "$err"
minke rm user >/dev/null
ok minke volume rm data
expect_exit 1 minke volume rm data
assert_match 'no such volume' "${err,,}"
