#!/bin/bash
# update --health-*: the running monitor checks by the new words, and keeps what was not named.
. "$(dirname "$0")/../../lib.sh"
is_podman && ! minke update --help | grep -q -- --health-cmd && skip 'no such option'
need_image

health() { minke inspect --format "{{.State.Health.$2}}" "$1"; }
config() { minke inspect h | jq -c '.[0].Config.Healthcheck | [.Test, .Interval, .Retries, .Timeout]'; }
start --name h "$IMG" sleep 1000 >/dev/null
assert_error 125 'healthcheck command is not set' minke update --health-interval 1s h
assert_error 125 'startup healthcheck command is not set' minke update --health-startup-retries 1 h
# a check where there was none
ok minke update --health-cmd 'test -e /ok' --health-interval 100ms --health-retries 2 h
assert_eq '[["CMD-SHELL","test -e /ok"],100000000,2,30000000000]' "$(config)"
within 30 eval '[ "$(health h Status)" = unhealthy ]'
ok minke exec h touch /ok
within 30 eval '[ "$(health h Status)" = healthy ]'
# one word of it: the rest stays
ok minke update --health-cmd 'echo other; test -e /other' h
assert_eq '[["CMD-SHELL","echo other; test -e /other"],100000000,2,30000000000]' "$(config)"
within 30 eval '[ "$(health h Status)" = unhealthy ]'
assert_match other "$(minke inspect h | jq -r '.[0].State.Health.Log[-1].Output')"
# from an hour to now: the timer is set anew
ok minke update --health-interval 1h h
sleep 0.5
last=$(minke inspect h | jq -c '.[0].State.Health.Log[-1]')
sleep 0.5
assert_eq "$last" "$(minke inspect h | jq -c '.[0].State.Health.Log[-1]')"
ok minke exec h touch /other
ok minke update --health-interval 100ms --health-max-log-count 2 --health-max-log-size 3 h
within 30 eval '[ "$(health h Status)" = healthy ]'
within 30 eval '[ "$(minke inspect h | jq -c "[.[0].State.Health.Log[].Output]")" = "[\"oth\",\"oth\"]" ]'
# the action
ok minke update --health-on-failure kill --health-cmd false h
within 30 is_exited h
# from the record at the next start
ok minke update --health-cmd true --health-on-failure none h
ok minke start h
within 30 eval '[ "$(health h Status)" = healthy ]'
ok minke update --no-healthcheck h
assert_eq '' "$(health h Status)"
assert_error 125 'has no defined healthcheck' minke healthcheck run h
assert_error 125 'cannot specify both --no-healthcheck and other HealthCheck flags' \
  minke update --no-healthcheck --health-interval 1s h
assert_error 125 'invalid on-failure action "x"' minke update --health-on-failure x h
# a startup check too
ok minke update --health-cmd true --health-interval 100ms --health-startup-cmd 'test -e /up' --health-startup-interval 100ms h
within 30 eval '[ "$(minke inspect h | jq ".[0].State.Health.Log | length")" = 2 ]'
assert_eq starting "$(health h Status)"
ok minke exec h touch /up
within 30 eval '[ "$(health h Status)" = healthy ]'
