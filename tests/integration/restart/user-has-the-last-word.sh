#!/bin/bash
# kill, stop and rm end a restart policy, also while a restart is waited for; start and restart bring it back.
. "$(dirname "$0")/../../lib.sh"
need_image

waits() { [ "$(minke inspect --format '{{.State.Restarting}}' "$1")" = true ]; }
start --name k --restart unless-stopped "$IMG" sleep 1000 >/dev/null
ok minke kill k
within 20 is_exited k
sleep 0.5
is_exited k || fail 'it was started after kill'
assert_eq '' "$(minke ps -aq --filter should-start-on-boot=true)"
ok minke start --all --filter restart-policy=unless-stopped
is_running k
ok minke restart -t 0 k
is_running k
assert_eq k "$(minke ps -a --filter should-start-on-boot=true --format '{{.Names}}')"
ok minke rm -f -t 0 k

start --name w --restart always "$IMG" false >/dev/null
within 60 eval '[ "$(minke inspect --format "{{.RestartCount}}" w)" -ge 5 ]' # now it waits for seconds
within 60 waits w
ok minke stop w
within 5 is_exited w
! waits w || fail 'it still waits'
ok minke start w
within 60 eval '[ "$(minke inspect --format "{{.RestartCount}}" w)" -ge 5 ]'
within 60 waits w
ok minke kill w
! waits w || fail 'it still waits'
ok minke start w
within 60 waits w
ok minke rm -f w
assert_eq '' "$(minke ps -aq)"
