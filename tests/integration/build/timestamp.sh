#!/bin/bash
# The same input gives the same digest twice with --timestamp, and with SOURCE_DATE_EPOCH and --rewrite-timestamp.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
file() { printf 'FROM localhost/busybox\nENV A=1\nRUN mkdir /d && echo one >/d/one && ln -s one /d/link\nWORKDIR /w/x\nCMD ["sh"]\n'; }
digest() { minke image inspect "$1" --format '{{.Digest}} {{.Created}}'; }
file | build --no-cache --timestamp 1000000000 -t a
sleep 1.1
file | build --no-cache --timestamp 1000000000 -t b
assert_eq "$(digest a)" "$(digest b)"
assert_match '2001-09-09' "$(digest a)"
ok run a stat -c %Y /d/one /d/link /d /w/x
assert_eq '1000000000 1000000000 1000000000 1000000000' "$(xargs <<<"$out")"
is_podman && exit 0
export SOURCE_DATE_EPOCH=1100000000
file | build --no-cache --rewrite-timestamp -t c
sleep 1.1
file | build --no-cache --rewrite-timestamp -t d
assert_eq "$(digest c)" "$(digest d)"
assert_match '2004-11-09' "$(digest c)"
