#!/bin/bash
# --health-on-failure: kill, stop and restart; the startup check, and one that fails too often.
. "$(dirname "$0")/../../lib.sh"
need_image

check() { start --name "$1" --health-cmd "${2:-false}" --health-interval 100ms --health-retries 1 "${@:3}" "$IMG" sh -c 'trap "exit 9" TERM; while :; do sleep 0.1; done' >/dev/null; }
check kill false --health-on-failure kill
within 30 is_exited kill
assert_eq 137 "$(minke inspect --format '{{.State.ExitCode}}' kill)"
check stop false --health-on-failure stop --restart always
within 30 is_exited stop
assert_eq 9 "$(minke inspect --format '{{.State.ExitCode}}' stop)"
check restart false --health-on-failure restart
within 60 eval '[ "$(minke inspect --format "{{.RestartCount}}" restart)" -ge 1 ]'
ok minke rm -f -t 0 restart

check startup true --health-startup-cmd 'test -e /go' --health-startup-interval 100ms
within 30 eval '[ "$(minke inspect startup | jq ".[0].State.Health.Log | length")" -ge 2 ]'
assert_eq starting "$(minke inspect --format '{{.State.Health.Status}}' startup)"
ok minke exec startup touch /go
ok timeout 60 "$MINKE" "${engine_options[@]}" wait --condition healthy startup
check tries true --health-startup-cmd false --health-startup-interval 100ms --health-startup-retries 2
within 60 eval '[ "$(minke inspect --format "{{.RestartCount}}" tries)" -ge 1 ]'
ok minke rm -f -t 0 tries

mkdir logs
check log 'echo said' --health-log-destination "$PWD/logs"
within 30 eval 'grep -q said logs/*-healthcheck.log'
