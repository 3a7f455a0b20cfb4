#!/bin/bash
# Health checks by the monitor's timers: status, streak, log, ps, wait, events; healthcheck run.
. "$(dirname "$0")/../../lib.sh"
need_image

health() { minke inspect --format "{{.State.Health.$2}}" "$1"; }
start --name h --health-cmd 'echo looked; test -e /ok' --health-interval 200ms --health-retries 2 \
  --health-max-log-count 3 --health-max-log-size 4 "$IMG" sleep 1000 >/dev/null
within 30 eval '[ "$(health h Status)" = unhealthy ]'
[ "$(health h FailingStreak)" -ge 2 ]
assert_match '\(unhealthy\)' "$(minke ps --format '{{.Status}}')"
assert_eq h "$(minke ps --filter health=unhealthy --format '{{.Names}}')"
expect_exit 1 minke healthcheck run h
assert_eq unhealthy "$out"
ok minke healthcheck run --ignore-result h
ok minke exec h touch /ok
ok timeout 60 "$MINKE" "${engine_options[@]}" wait --condition healthy h
assert_eq healthy "$(health h Status)"
assert_eq 0 "$(health h FailingStreak)"
ok minke healthcheck run h
within 20 eval '[ "$(minke inspect h | jq ".[0].State.Health.Log | length")" = 3 ]'
assert_eq '0 look' "$(minke inspect h | jq -r '.[0].State.Health.Log[2] | "\(.ExitCode) \(.Output)"')"
assert_match 'health_status=healthy' "$(minke events --stream=false --filter event=health_status | tail -n 1)"
assert_eq '[CMD-SHELL echo looked; test -e /ok]' "$(minke inspect --format '{{.Config.Healthcheck.Test}}' h)"

# one that hangs is killed at its timeout, with what it has started
start --name t --health-cmd 'sleep 777 & sleep 777' --health-interval disable --health-timeout 1s "$IMG" sleep 1000 >/dev/null
expect_exit 1 minke healthcheck run t
assert_eq -1 "$(minke inspect t | jq -r '.[0].State.Health.Log[-1].ExitCode')"
assert_no_match 'sleep 777' "$(minke exec t ps -o args)"

assert_error 125 'has no defined healthcheck' minke healthcheck run "$(start "$IMG" sleep 1000)"
assert_error 125 'is not running' minke healthcheck run "$(minke create --health-cmd true "$IMG" true)"
assert_error 125 'invalid on-failure action "x"' minke create --health-cmd true --health-on-failure x "$IMG"
