#!/bin/bash
# init makes the first process, which waits until the container is started.
. "$(dirname "$0")/../../lib.sh"
need_image
minke create --network none --name c "$IMG" sh -c 'echo ran; exit 7' >/dev/null
ok minke init c
assert_eq c "$out"
assert_eq initialized "$(state_of c)"
pid=$(minke inspect -f '{{.State.Pid}}' c)
[ "$pid" -gt 0 ] && kill -0 "$pid" 2>/dev/null || [ -d "/proc/$pid" ] || fail "no process $pid"
assert_eq '' "$(minke logs c)" log
assert_error 125 'has already been created in runtime: container state improper' minke init c
expect_exit 7 minke start -a c
assert_eq ran "$out"
assert_eq 7 "$(minke inspect -f '{{.State.ExitCode}}' c)" 'exit code'
# made again after its end, and started in the background
ok minke init c
ok minke start c
within 20 is_exited c
assert_eq 7 "$(minke wait c)"
