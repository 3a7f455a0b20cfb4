#!/bin/bash
# --secret type=env: the program and exec see it; no record, spec or inspect holds it.
. "$(dirname "$0")/../../lib.sh"
need_image

printf 'top-%s' secret >"$T/s"
ok minke secret create x "$T/s"
ok start --name c --secret x,type=env,target=Q --secret x,type=env "$IMG" sleep 1000
ok minke exec c sh -c 'echo $Q $x'
assert_eq 'top-secret top-secret' "$out"
ok minke exec c sh -c 'tr "\0" "\n" </proc/1/environ | grep ^Q='
assert_eq 'Q=top-secret' "$out"
ok minke exec -d c true
ok minke exec -e Q=mine c sh -c 'echo $Q'
assert_eq mine "$out"
ok minke inspect c
assert_no_match top-secret "$out"
[ "$(grep -rl top-secret "$T/r")" = "$T/r/secrets/x.d/data" ] || fail "in $(grep -rl top-secret "$T/r")"
ok minke rm -f -t 0 c
! grep -rq top-secret "$T/u" || fail 'the run folder still has it'

# Looked up at each start.
ok minke create --name d --network none --secret x,type=env "$IMG" sh -c 'echo $x'
printf new >"$T/s"
ok minke secret create --replace x "$T/s"
ok minke start -a d
assert_eq new "$out"
ok minke secret rm x
assert_error 125 'no secret with name or id "x": no such secret' minke start -a d
