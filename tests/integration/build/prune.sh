#!/bin/bash
# builder prune removes what no image has, with --all every step; system df counts it; layers of images stay.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'it has intermediate images'
need_image
file() { printf 'FROM localhost/busybox\nRUN head -c 100000 /dev/urandom >/one\nRUN head -c 200000 /dev/zero >/two\n'; }
layers() { find "$T/r/layers" -mindepth 1 -maxdepth 1 | wc -l; }
before=$(layers)
file | build -t made
minke rmi made >/dev/null
assert_eq $((before + 2)) "$(layers)"
ok minke system df
assert_match 'Build Cache +2 ' "$out"
ok minke builder prune -f
assert_match 'Total:' "$out"
assert_eq "$before" "$(layers)"
file | build -t made
ok minke builder prune -f
file | build -t made
assert_eq 2 "$(grep -c CACHED build.err)"
ok minke builder prune -fa
file | build -t made
assert_eq 0 "$(grep -c CACHED build.err || true)"
ok run made ls -l /one /two
