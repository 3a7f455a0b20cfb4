#!/bin/bash
# --requires: those are started first, in their order, and are not removed before it.
. "$(dirname "$0")/../../lib.sh"
need_image

for pair in one: two:one three:two,one; do
  requires=${pair#*:}
  minke create --network none --name "${pair%%:*}" ${requires:+--requires "$requires"} "$IMG" sleep 1000 >/dev/null
done
ok minke start three
assert_eq $'one\nthree\ntwo' "$(minke ps --format '{{.Names}}' | sort)"
times=$(minke inspect --format '{{.Name}} {{.State.StartedAt.UnixNano}}' one two three | sort -k2n | cut -d' ' -f1 | xargs)
assert_eq 'one two three' "$times"
assert_error 125 'has dependent containers which must be removed before it' minke rm -f -t 0 one
assert_error 2 'cannot remove container .* as it is running' minke rm one
assert_error 125 '"nosuch" is not a valid container, cannot be used as a dependency: no container with name or ID "nosuch" found' \
  minke create --requires nosuch "$IMG"
ok minke rm -f -t 0 --depend one
assert_eq '' "$(minke ps -aq)"
