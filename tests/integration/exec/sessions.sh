#!/bin/bash
# Of detached sessions that ended a while ago nothing stays, also while the container runs on.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'a matter of files of minke'
need_image
start --name c "$IMG" sleep 1000 >/dev/null
sessions() { find "$T/u/containers/"*/exec -mindepth 1 -maxdepth 1 | wc -l; }
ended() { [ "$(find "$T/u/containers/"*/exec -name exit | wc -l)" = "$1" ]; }
for _ in 1 2 3; do ok minke exec -d c true; done
within 30 ended 3
within 30 eval '[ -z "$(find "$T/u/containers/"*/exec -name state)" ]'
find "$T/u/containers/"*/exec -name exit -exec touch -d '10 minutes ago' {} +
ok minke exec -d c sleep 1000
assert_eq 1 "$(sessions)"
assert_match "sleep 1000.*sleep 1000" "$(minke exec c ps -o args | tr "\n" " ")"
ok minke exec -d c true
within 30 ended 1
assert_eq 2 "$(sessions)"
