#!/bin/bash
# unshare runs a program in the user's namespace, as root there.
# needs: user
. "$(dirname "$0")/../../lib.sh"
ok minke unshare sh -c 'echo $(id -u); cat /proc/self/uid_map'
assert_eq 0 "$(head -n 1 <<<"$out")"
assert_match "^ +0 +$(id -u) +1" "$(sed -n 2p <<<"$out")"
expect_exit 3 minke unshare sh -c 'exit 3'
