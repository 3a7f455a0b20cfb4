#!/bin/bash
# The events of checks: one where the status changes, not one for each check; the log in them; none where
# healthcheck_events says so.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'our own policy'
need_image

statuses() { minke events --stream=false --filter event=health_status --filter "container=$1" --format '{{.HealthStatus}}'; }
checks() { minke inspect "$1" | jq -r '.[0].State.Health.Log | length'; }
start --name h --health-cmd 'test ! -e /bad' --health-interval 100ms --health-retries 1 --health-max-log-count 0 "$IMG" sleep 1000 >/dev/null
within 60 eval '[ "$(checks h)" -ge 8 ]'
assert_eq healthy "$(statuses h)"
ok minke exec h touch /bad
within 30 eval '[ "$(statuses h | tail -n 1)" = unhealthy ]'
assert_eq $'healthy\nunhealthy' "$(statuses h)"
# asked for by name, each is noted
expect_exit 1 minke healthcheck run h
assert_eq $'healthy\nunhealthy\nunhealthy' "$(statuses h)"
ok minke rm -f -t 0 h

start --name l --health-cmd 'echo said; exit 3' --health-interval 100ms --health-retries 1 --health-log-destination events_logger "$IMG" sleep 1000 >/dev/null
within 30 eval '[ "$(statuses l | wc -l)" -ge 3 ]'
event=$(minke events --stream=false --filter event=health_status --filter container=l --format json | sed -n 3p)
assert_eq '3 said unhealthy 3' "$(jq -r '[(.health_log | fromjson | .ExitCode, (.Output | rtrimstr("\n"))), .health_status, .health_failing_streak] | join(" ")' <<<"$event")"
assert_match '"ExitCode":3' "$(minke events --stream=false --filter event=health_status --filter container=l --format '{{.HealthLog}}' | head -n 1)"
assert_match 'health_failing_streak=1, health_log=\{' "$(minke events --stream=false --filter event=health_status --filter container=l | head -n 1)"
assert_eq events_logger "$(minke inspect --format '{{.Config.HealthLogDestination}}' l)"
ok minke rm -f -t 0 l

printf '[engine]\nhealthcheck_events=false\n' >"$T/c.conf"
CONTAINERS_CONF=$T/c.conf start --name q --health-cmd true --health-interval 100ms "$IMG" sleep 1000 >/dev/null
within 30 eval '[ "$(checks q)" -ge 3 ]'
ok minke healthcheck run q
assert_eq '' "$(statuses q)"

# a folder of logs has to be there
assert_error 125 'it is no directory' minke create --health-cmd true --health-log-destination "$T/nosuch" "$IMG"
