#!/bin/bash
# --events-backend: none records nothing, others than file, journald and none are refused.
. "$(dirname "$0")/../../lib.sh"
need_image

rm u/events.log
ok minke --events-backend none run --rm --network none "$IMG" true
[ ! -e u/events.log ] || fail "$(cat u/events.log)"
assert_error 125 'cannot read events with the "none" backend' minke --events-backend none events --stream=false
assert_error 125 'invalid events backend "foo"' minke --events-backend foo events
if [ ! -S /run/systemd/journal/socket ]; then
  # what cannot be recorded stops nothing, and is told
  ok minke --events-backend journald volume create v
  assert_match 'event volume create: ' "$err"
fi
