#!/bin/bash
# Restart policies: a container that ends by itself is started anew as its policy says, and counted.
. "$(dirname "$0")/../../lib.sh"
need_image

count() { minke inspect --format '{{.RestartCount}}' "$1"; }
ended_after() { [ "$(minke inspect --format '{{.RestartCount}} {{.State.Status}} {{.State.Restarting}}' "$1")" = "$2 exited false" ]; }
start --name f --restart on-failure:2 "$IMG" sh -c 'exit 3' >/dev/null
within 60 ended_after f 2
assert_eq 3 "$(minke inspect --format '{{.State.ExitCode}}' f)"
assert_eq 'on-failure 2' "$(minke inspect --format '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}' f)"
# a start by the user counts anew
ok minke start f
within 60 ended_after f 2

start --name good --restart on-failure "$IMG" true >/dev/null
within 20 ended_after good 0
start --name no "$IMG" false >/dev/null
within 20 ended_after no 0

start --name a --restart always "$IMG" sh -c 'echo up; sleep 0.1' >/dev/null
within 60 eval '[ "$(minke logs a | grep -c up)" -ge 3 ]'
ok minke stop -t 1 a
stopped=$(count a)
sleep 1
is_exited a || fail 'it was started after stop'
assert_eq "$stopped" "$(count a)"
assert_eq '' "$(minke ps --filter name=a -q)"

expect_exit 0 minke run -d --rm --network none --restart on-failure:1 --name r "$IMG" false
within 60 eval '! minke container exists r'
assert_error 125 'the --rm option conflicts with --restart' minke run --rm --restart always "$IMG" true
