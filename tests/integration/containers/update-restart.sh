#!/bin/bash
# update --restart: a running container's monitor goes by the new policy, a stopped one by it at its next start.
. "$(dirname "$0")/../../lib.sh"
is_podman && ! minke update --help | grep -q -- --restart && skip 'no such option'
need_image

policy() { minke inspect --format '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}' "$1"; }
restarts() { minke inspect --format '{{.RestartCount}}' "$1"; }
ended_after() { [ "$(minke inspect --format '{{.RestartCount}} {{.State.Status}} {{.State.Restarting}}' "$1")" = "$2 exited false" ]; }
kill_init() { kill -KILL "$(minke inspect --format '{{.State.Pid}}' "$1")"; }

# none, then on-failure, while it runs
start --name a "$IMG" sh -c 'while [ ! -e /go ]; do sleep 0.1; done; exit 3' >/dev/null
ok minke update --restart on-failure:2 a
assert_eq 'on-failure 2' "$(policy a)"
ok minke exec a touch /go
within 60 ended_after a 2
# stopped: it counts from the next start
ok minke update --restart no a
assert_eq 'no 0' "$(policy a)"
ok minke start a
within 60 ended_after a 0

# always, then no: the policy that it was started with does not hold any more
start --name b --restart always "$IMG" sleep 1000 >/dev/null
kill_init b
within 30 eval '[ "$(restarts b)" = 1 ] && is_running b'
ok minke update --restart no b
kill_init b
within 30 is_exited b
sleep 0.5
is_exited b || fail "it was started anew"
# a wait for a restart ends
minke run -d --name w --network none --restart always "$IMG" false >/dev/null
within 60 eval '[ "$(restarts w)" -ge 4 ]'
ok minke update --restart no w
within 60 eval '[ "$(minke inspect --format "{{.State.Status}} {{.State.Restarting}}" w)" = "exited false" ]'

assert_error 125 '"bogus" is not a valid restart policy' minke update --restart bogus b
assert_error 125 'retries can only be specified with on-failure' minke update --restart always:3 b
start --name r --rm "$IMG" sleep 1000 >/dev/null
assert_error 125 'removed at its end' minke update --restart always r
start --name h --health-cmd true --health-on-failure restart "$IMG" sleep 1000 >/dev/null
assert_error 125 'cannot be used together' minke update --restart always h
