#!/bin/bash
# A layer that was not flushed before power was cut counts as not there: the step runs again. Those of images are flushed.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'no marks'
need_image
mkdir ctx
printf 'FROM localhost/busybox\nRUN echo one >/one\nRUN exit 1\n' >C
expect_exit 1 minke build --network none -f C ctx
marks=("$T"/r/layers/*/unsynced)
assert_eq 1 ${#marks[@]}
assert_eq "$(cat /proc/sys/kernel/random/boot_id)" "$(cat "${marks[0]}")"
echo another-boot >"${marks[0]}"
echo lost >"${marks[0]%/*}/diff/one" 2>/dev/null || minke unshare sh -c "echo lost >'${marks[0]%/*}/diff/one'"
sed -i 's/exit 1/cat \/one/' C
ok minke build --network none -t made -f C ctx
assert_no_match CACHED "$err"
ok run made cat /one
assert_eq one "$out"
assert_eq another-boot "$(cat "$T"/r/layers/*/unsynced)" 'marks'
ok minke system prune -f
assert_eq "$T/r/layers/*/unsynced" "$(echo "$T"/r/layers/*/unsynced)"
