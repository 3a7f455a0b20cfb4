#!/bin/bash
# When the run command is killed, its container is not lost: it goes on and can be stopped.
. "$(dirname "$0")/../../lib.sh"
need_image
background run --rm --name c --network none "$IMG" sleep 100
within 30 is_running c

kill -KILL "$client"
sleep 0.3
assert_eq running "$(state_of c)"
ok minke stop -t 0 c
within 20 eval '! minke container exists c'
