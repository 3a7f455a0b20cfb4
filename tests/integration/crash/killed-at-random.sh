#!/bin/bash
# Commands killed at random moments: every container left can be listed, removed, and its name used.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'a matter of files and steps of minke'
need_image
for i in $(seq 20); do
  background run -d --name "k$i" --network none "$IMG" sleep 100 >/dev/null 2>&1
  sleep "0.00$((RANDOM % 9))$((RANDOM % 9))"
  kill -KILL "$client" 2>/dev/null || true
  wait "$client" 2>/dev/null || true
done
ok minke ps -a
ok minke rm -fa -t 0
ok minke ps -aq
assert_eq '' "$out"
for i in 1 7 20; do ok run --name "k$i" "$IMG" true; done
