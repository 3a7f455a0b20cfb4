#!/bin/bash
# export writes the container's files as a tar, of a stopped and of a running one.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c "$IMG" sh -c 'echo new >/added; sleep 100' >/dev/null
within 20 minke exec c test -s /added

minke export c | tar -xO added ./added 2>/dev/null >got || true
assert_eq new "$(cat got)"
ok minke stop -t 0 c
ok minke export -o c.tar c
tar -tf c.tar >list
assert_match '(^|\n)(\./)?added' "$(cat list)"
assert_match 'bin/busybox' "$(cat list)"
expect_exit 125 minke export no-such
