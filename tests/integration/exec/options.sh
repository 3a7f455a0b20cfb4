#!/bin/bash
# exec: user, working directory, environment file, privileged.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c "$IMG" sleep 100 >/dev/null
echo FILE=1 >env

ok minke exec -u app -w /tmp --env-file env c sh -c 'echo $(id -un) $(pwd) $FILE'
assert_eq 'app /tmp 1' "$out"
ok minke exec --privileged c probe report security
assert_eq "$(field "$out" .caps.CapBnd)" "$(field "$out" .caps.CapEff)"
assert_no_match '^00000000' "$(field "$out" .caps.CapEff)"
