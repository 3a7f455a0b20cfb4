#!/bin/bash
# -v binds a host folder, read-write or read-only; a relative or missing one is refused.
. "$(dirname "$0")/../../lib.sh"
need_image
mkdir d; echo host >d/f

ok run -v "$T/d:/mnt" "$IMG" sh -c 'cat /mnt/f; echo new >/mnt/g'
assert_eq host "$out"
assert_eq new "$(cat d/g)"
expect_exit 1 run -v "$T/d:/mnt:ro" "$IMG" touch /mnt/x
assert_match 'Read-only' "$err"
ok run -v "$T/d/f:/file" "$IMG" cat /file
assert_eq host "$out"
expect_exit 125 run -v "$T/no-such:/mnt" "$IMG" true
assert_match 'no-such' "$err"
expect_exit 125 run -v "$T/d:relative" "$IMG" true
