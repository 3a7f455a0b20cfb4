#!/bin/bash
# Eight creates with one name at the same time: one has it, seven are told.
. "$(dirname "$0")/../../lib.sh"
need_image
for i in 1 2 3 4 5 6 7 8; do
  background create --name wanted --network none "$IMG" true >"o$i" 2>"e$i"
  pids[i]=$client
done
won=0
for i in 1 2 3 4 5 6 7 8; do wait "${pids[i]}" && won=$((won + 1)); done || true
assert_eq 1 $won
assert_eq 1 "$(minke ps -aq | wc -l)"
assert_eq 7 "$(cat e? | grep -c 'wanted')"
