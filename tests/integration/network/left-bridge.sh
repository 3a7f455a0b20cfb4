#!/bin/bash
# network rm that is killed at any step leaves nothing that is in the way of a new network with the same bridge. A bridge whose network says
# something else by now is made anew, addresses and rules too.
# needs: root
# shellcheck disable=SC2154 # lib.sh sets them
. "$(dirname "$0")/../../lib-network.sh"
need_program nft
need_image
create() { minke network create --interface-name minke7 "$@" front >/dev/null; }
for step in 1 2 3; do
  create --subnet 10.70.0.0/24
  minke run --rm --network front "$IMG" true
  (export MINKE_FAILPOINT=engine.network-rm:$step && exec "$MINKE" "${engine_options[@]}" network rm front) >/dev/null 2>&1 && fail 'not killed'
  [ $step = 3 ] || ok minke network rm front
done
assert_no_match 'minke7|10\.70\.' "$(ip -br addr; nft list ruleset)"

create --subnet 10.71.0.0/24 --subnet fd71::/64 -o isolate=strict
minke run --rm --network front "$IMG" true
sed -i 's/10\.71\./10.72./g; s/fd71:/fd72:/g; s/"isolate":"strict"//' "$T/r/networks/front.json"
ok minke run --rm --network front "$IMG" true
assert_match 10.72.0.1/24 "$(ip -4 addr show minke7)"
assert_no_match '10\.71\.|fd71' "$(ip addr show minke7; nft list ruleset)"
assert_no_match minke7 "$(nft list set inet minke strict)"
assert_match minke7 "$(nft list set inet minke bridges)"
ok minke network rm front
assert_no_match 'minke7|10\.72\.' "$(ip -br addr; nft list ruleset)"
