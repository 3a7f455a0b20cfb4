#!/bin/bash
# The same image loaded by four at once is one image.
. "$(dirname "$0")/../../lib.sh"
for i in 1 2 3 4; do
  background load -q -i "$IMAGES/busybox.tar" >"o$i" 2>&1
  pids[i]=$client
done
for i in 1 2 3 4; do wait "${pids[i]}" || fail "$(cat "o$i")"; done
assert_eq 1 "$(minke images -q | wc -l)"
ok run "$IMG" true
