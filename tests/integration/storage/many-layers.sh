#!/bin/bash
# An image of 120 layers runs.
. "$(dirname "$0")/../../lib.sh"
dirs=()
for i in $(seq 120); do
  mkdir -p "l$i/d"
  echo "$i" >"l$i/d/f$i"; echo "$i" >"l$i/last"
  dirs+=("l$i")
done
busybox_image i.tar localhost/many:latest '{"Env":["PATH=/bin"]}' "${dirs[@]}"
ok minke load -q -i i.tar

ok run localhost/many:latest sh -c 'ls /d | wc -l; cat /last'
assert_eq $'120\n120' "$(tr -d ' ' <<<"$out")"
