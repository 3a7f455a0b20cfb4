#!/bin/bash
# Logs are rotated at max-size; what is kept can still be read.
. "$(dirname "$0")/../../lib.sh"
need_image

ok minke run --name c --network none --log-opt max-size=20kb --log-opt path="$T/log" "$IMG" probe print stdout 3000 40
size=$(stat -c %s log)
[ "$size" -le 40960 ] || fail "log of $size bytes"
ok minke logs c
assert_match '^line 3000\.+$' "$(tail -n 1 <<<"$out")"
