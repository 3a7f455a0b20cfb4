#!/bin/bash
# A create that fails late takes back what it has begun: nothing is staged, and no name is held.
. "$(dirname "$0")/../../lib.sh"
need_image
long=a-name-that-is-longer-than-any-small-string
ok minke create --name $long --network none "$IMG" true
before=$(find "$T/r" -mindepth 2 -maxdepth 2 | sort)
for _ in 1 2 3; do
  assert_error 125 'already in use' minke create --name $long --network none "$IMG" true
  assert_error 125 'already in use' minke run --name $long --network none "$IMG" true
done
assert_eq "$before" "$(find "$T/r" -mindepth 2 -maxdepth 2 | sort)"
assert_eq "$long" "$(minke ps -a --format '{{.Names}}')"
ok minke rm $long
ok minke run --rm --name $long --network none "$IMG" true
