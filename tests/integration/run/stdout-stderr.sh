#!/bin/bash
# Standard output and standard error stay apart, whole and in order.
. "$(dirname "$0")/../../lib.sh"
need_image

ok run "$IMG" sh -c 'echo out; echo err >&2'
assert_eq out "$out"
assert_eq err "$err"
ok run "$IMG" probe print stdout 20000 80
assert_eq 20000 "$(wc -l <<<"$out")"
assert_match '^line 20000\.+$' "$(tail -n 1 <<<"$out")"
