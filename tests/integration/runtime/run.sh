#!/bin/bash
# run gives the container's output and exit code and leaves nothing.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-runtime.sh"
bundle b '.process.args = ["sh", "-c", "echo out; echo err >&2; exit 42"]'

expect_exit 42 rt run --bundle "$T/b" c
assert_eq out "$out"
assert_eq err "$err"
ok rt list -q
assert_eq '' "$out"

bundle missing '.process.args = ["nosuch"]'
assert_error 127 'executable file `nosuch` not found in \$PATH' rt run --bundle "$T/missing" c
bundle folder '.process.args = ["/etc"]'
assert_error 126 'open executable `/etc`: Permission denied' rt run --bundle "$T/folder" c
