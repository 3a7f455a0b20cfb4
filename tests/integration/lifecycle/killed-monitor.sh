#!/bin/bash
# The monitor killed: the container ends with it, and the next command cleans up.
. "$(dirname "$0")/../../lib.sh"
need_image
is_podman && skip 'conmon lets the container go on'
start --name c "$IMG" sleep 100 >/dev/null
pid=$(minke inspect --format '{{.State.Pid}}' c)
monitor=$(minke inspect --format '{{.State.ConmonPid}}' c)

kill -KILL "$monitor"
within 20 test ! -e "/proc/$pid"
within 20 eval '! is_running c'
ok minke start c
assert_eq running "$(state_of c)"
ok minke rm -f -t 0 c
