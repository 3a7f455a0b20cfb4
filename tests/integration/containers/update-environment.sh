#!/bin/bash
# update changes variables and ulimits for the next start.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c -e A=1 -e B=2 "$IMG" sleep 1000 >/dev/null
ok minke update -l --env A=x --env C=3 --unsetenv B --ulimit nofile=100:200
assert_eq 'x--3' "$(minke exec c sh -c 'echo $A-$B-$C')" exec
ok minke restart -t 0 c
assert_eq 'A=x C=3' "$(minke exec c cat /proc/1/environ | tr '\0' '\n' | grep -E '^[ABC]=' | sort | xargs)"
assert_eq 100 "$(minke exec c sh -c 'grep "open files" /proc/1/limits' | awk '{print $4}')" nofile
