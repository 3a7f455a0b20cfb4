#!/bin/bash
# Eight at once, several times over: each has its own output and exit code.
. "$(dirname "$0")/../../lib.sh"
need_image

for round in 1 2 3; do
  pids=()
  for i in 1 2 3 4 5 6 7 8; do
    run --name "c$i" "$IMG" sh -c "echo $round.$i; exit $i" >"out.$i" 2>"err.$i" &
    pids+=($!)
  done
  for i in 1 2 3 4 5 6 7 8; do
    rc=0
    wait "${pids[$((i - 1))]}" || rc=$?
    assert_eq "$i $round.$i" "$rc $(cat "out.$i")" "container $i: $(cat "err.$i")"
  done
done
ok minke ps -aq
assert_eq '' "$out"
