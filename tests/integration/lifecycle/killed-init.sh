#!/bin/bash
# The container's process killed from outside: 137, and the next command sees it.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c "$IMG" sleep 100 >/dev/null

kill -KILL "$(minke inspect --format '{{.State.Pid}}' c)"
within 20 is_exited c
assert_eq 137 "$(minke inspect --format '{{.State.ExitCode}}' c)"
ok minke start c
assert_eq running "$(state_of c)"
