#!/bin/bash
# A command that fails ends the build with its exit code and one line; what was done stays cached and nothing else is left.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'other words'
need_image
printf 'FROM localhost/busybox\nRUN echo done >/done\nRUN echo oops; exit 7\n' >C
ok mkdir ctx
expect_exit 7 minke build --network none -f C ctx
assert_match 'C:3: process "/bin/sh -c echo oops; exit 7" did not complete successfully: exit code: 7' "$err"
assert_match 'oops' "$err"
assert_eq '' "$out"
nothing_staged
expect_exit 7 minke build --network none -f C ctx
assert_match 'CACHED' "$err"
printf 'FROM localhost/busybox\nRUN ["/nothing"]\n' >C
expect_exit 127 minke build --network none -f C ctx
assert_match 'process "/nothing" did not complete successfully: exit code: 127' "$err"
printf 'FROM localhost/busybox\nRUN sh -c "kill -9 \\$\\$"; exit $?\n' >C
expect_exit 137 minke build --network none -f C ctx
printf 'FROM localhost/busybox\nRUM true\n' >C
assert_error 125 'C:2: .*RUM' minke build --network none -f C ctx
nothing_staged
