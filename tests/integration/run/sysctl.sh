#!/bin/bash
# --sysctl sets namespaced values; one of the host's is refused.
. "$(dirname "$0")/../../lib.sh"
need_image

ok run --sysctl kernel.msgmax=4096 "$IMG" cat /proc/sys/kernel/msgmax
assert_eq 4096 "$out"
expect_exit 125 run --sysctl vm.swappiness=1 "$IMG" true
assert_match "vm.swappiness" "$err"
