#!/bin/bash
# An exec killed at any step: the container runs on, takes the next one, and nothing is left of it when it ends.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'no failpoints'
need_image

killed() { expect_exit 137 env "MINKE_FAILPOINT=engine.exec:$1" "$MINKE" "${engine_options[@]}" exec "${@:2}"; }
start --name c "$IMG" sleep 1000 >/dev/null
for step in 1 2 3 4; do
  killed $step c true
  ok minke exec c true
  # what had been started ends by itself
  within 20 eval '[ "$(minke exec c ps -o args | grep -c ^true)" = 0 ]'
done
for step in 1 2; do
  killed $step -d c sh -c "exit 0"
  ok minke exec -d c touch "/done$step"
  within 20 minke exec c test -e "/done$step"
done
# of a session that has ended its exit code is kept, with the container
within 20 eval '[ -z "$(ls "$T/u/containers/"*/exec/*/state 2>/dev/null)" ]'
assert_eq running "$(state_of c)"
ok minke stop -t 0 c
ok minke rm c
assert_eq "" "$(find "$T/r/containers" "$T/u/containers" -mindepth 1 -maxdepth 1 ! -name ".*")"
