#!/bin/bash
# events follows the log, across its rotation, until its time has come or its reader has gone.
. "$(dirname "$0")/../../lib.sh"

background events --format '{{.Name}}' --filter type=volume >seen
follower=$client
sleep 0.3 # the follower may not have begun: what it must see is made until it sees
within 20 eval 'minke volume create >/dev/null && [ -s seen ]'
ok minke volume create one
within 20 grep -qx one seen
mv u/events.log u/events.log.1
ok minke volume create two
within 20 grep -qx two seen
kill "$follower"
wait "$follower" || true
assert_match 'one two$' "$(xargs <seen)"

# --until ends it by itself; --since begins in the past, in the older file too
ok timeout 60 "$MINKE" "${engine_options[@]}" events --since 1h --until 1s --format '{{.Name}}'
assert_match 'one
two$' "$out"
# a reader that goes ends it
timeout 60 "$MINKE" "${engine_options[@]}" events --since 1h | head -n 1 >first || true
[ -s first ] || fail 'nothing was shown'
