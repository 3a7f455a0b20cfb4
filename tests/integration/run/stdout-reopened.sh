#!/bin/bash
# What a child opens anew as /dev/stdout and /dev/stderr goes to the log, on a terminal and off it.
. "$(dirname "$0")/../../lib.sh"
need_image

script='sh -c "echo one >/dev/stdout"; (exec </dev/null; echo two >>/dev/stdout); echo three >/dev/stderr'
id=$(start "$IMG" sh -c "$script")
ok minke wait "$id"
ok minke logs "$id"
assert_eq $'one\ntwo' "$out"
assert_eq three "$err"
id=$(start -t "$IMG" sh -c "$script")
ok minke wait "$id"
ok minke logs "$id"
assert_eq $'one\ntwo\nthree' "$(tr -d '\r' <<<"$out")"
