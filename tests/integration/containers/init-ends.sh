#!/bin/bash
# A container that was only initialized is stopped, removed and fails to start without a trace.
. "$(dirname "$0")/../../lib.sh"
need_image
minke create --network none --name c "$IMG" sleep 1000 >/dev/null
ok minke init c
ok minke stop c
assert_eq 'exited 137' "$(minke inspect -f '{{.State.Status}} {{.State.ExitCode}}' c)"
ok minke init -a
assert_match "$(minke inspect -f '{{.Id}}' c)" "$out"
assert_error 125 'can only kill running containers' minke kill c
ok minke rm c
minke create --network none --name bad "$IMG" /no/such/program >/dev/null
assert_error 127 'no/such/program' minke init bad
assert_eq created "$(state_of bad)"
# its monitor killed: seen as ended
minke create --network none --name m "$IMG" sleep 1000 >/dev/null
ok minke init m
kill -9 "$(minke inspect -f '{{.State.ConmonPid}}' m)"
within 20 is_exited m
ok minke start m
is_running m
