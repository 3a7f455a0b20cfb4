#!/bin/bash
# unshare runs a command as root of the user's own namespace.
# needs: user
. "$(dirname "$0")/../../lib.sh"

ok minke unshare id -u
assert_eq 0 "$out"
ok minke unshare sh -c 'echo $CONTAINERS_GRAPHROOT'
assert_eq "$T/r" "$out"
expect_exit 7 minke unshare sh -c 'exit 7'
expect_exit 127 minke unshare no-such-program
