#!/bin/bash
# Steps that are the same are not run again; after a change only what follows it runs. The image of an unchanged build is the same.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'other words'
need_image
file() { printf 'FROM localhost/busybox\nRUN echo one >/one\nLABEL l=%s\nRUN echo two >/two\nRUN echo %s >/three\nRUN echo four >/four\n' "$1" "$2"; }
file a three | build
first=$(cat build.id)
assert_eq 0 "$(grep -c CACHED build.err || true)"
file a three | build
assert_eq 4 "$(grep -c CACHED build.err)"
assert_eq "$first" "$(cat build.id)"
file a other | build
assert_eq 2 "$(grep -c CACHED build.err)"
# what only changes the configuration has no part in what the steps see
file b three | build
assert_eq 4 "$(grep -c CACHED build.err)"
file a three | build --no-cache
assert_eq 0 "$(grep -c CACHED build.err || true)"
# an argument counts for the steps after it, when it has been declared
args() { printf 'FROM localhost/busybox\nRUN echo one >/one\nARG X\nRUN echo "$X" >/x\n'; }
args | build --build-arg X=1
args | build --build-arg X=2 -t made
assert_eq 1 "$(grep -c CACHED build.err)"
ok run made cat /x
assert_eq 2 "$out"
# images go, the cache stays
minke rmi -fa >/dev/null 2>&1
need_image
file a three | build
assert_eq 4 "$(grep -c CACHED build.err)"
