#!/bin/bash
# The log of events is bounded: a full file takes the place of the older one.
. "$(dirname "$0")/../../lib.sh"

mkdir -p u
line='{"Name":"old","Status":"create","Time":"2020-01-01T00:00:00Z","Type":"volume","Attributes":null}'
for _ in {1..1000}; do echo "$line"; done >thousand
for _ in {1..100}; do cat thousand; done >u/events.log
ok minke volume create a
ok minke volume create b
assert_eq 1 "$(wc -l <u/events.log)"
ok minke events --stream=false --since 1h --format '{{.Name}}'
assert_eq 'a
b' "$out"
