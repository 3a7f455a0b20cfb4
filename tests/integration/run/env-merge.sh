#!/bin/bash
# The later of two values wins: image, then --env-file, then -e; --unsetenv takes one away.
. "$(dirname "$0")/../../lib.sh"
busybox_image i.tar localhost/envy:latest '{"Env":["PATH=/bin","K=image","L=image","M=image"],"Cmd":["env"]}'
ok minke load -q -i i.tar
printf 'K=file\nL=file\n' >env

ok run -e K=flag --env-file env --unsetenv M localhost/envy:latest
assert_match $'(^|\n)K=flag(\n|$)' "$out"
assert_match $'(^|\n)L=file(\n|$)' "$out"
assert_no_match $'(^|\n)M=' "$out"
