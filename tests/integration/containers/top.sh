#!/bin/bash
# top reads the host's procfs: names and numbers are those inside, h... those outside.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c "$IMG" sh -c 'sleep 1000 & exec sleep 2000' >/dev/null
within 20 eval 'minke top c args | grep -q "sleep 1000"'
ok minke top c pid,ppid,user comm,args %n,state
assert_eq 'PID PPID USER COMMAND COMMAND NI STATE' "$(head -1 <<<"$out" | tr -s ' ')" heading
assert_match $'\n1 +0 +root +sleep +sleep 2000 +-?[0-9]+ +S' "$out"
assert_match '2 +1 +root +sleep +sleep 1000 +-?[0-9]+ +S' "$out"
ok minke top c
assert_eq 'USER PID PPID %CPU ELAPSED TTY TIME COMMAND' "$(head -1 <<<"$out" | tr -s ' ')" heading
ok minke top c hpid,huser,capeff,seccomp,capamb
pid=$(minke inspect -f '{{.State.Pid}}' c)
assert_match "$pid +$(id -un) .*CHOWN.* filter +none" "$out"
minke exec -d c sleep 77
within 20 eval 'minke top c ppid args | grep -q "^0 *sleep 77"'
assert_error 125 'you must provide the name or id of a running container' minke top
assert_error 125 'unable to look up requested container: no container with name or ID "x"' minke top x
minke create --network none --name made "$IMG" true >/dev/null
assert_error 125 'top can only be used on running containers' minke top made
