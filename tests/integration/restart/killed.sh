#!/bin/bash
# A monitor, or the wait for a restart, that is killed is healed by the next command.
. "$(dirname "$0")/../../lib.sh"
need_image

start --name c --restart always "$IMG" sleep 1000 >/dev/null
pid=$(minke inspect --format '{{.State.Pid}}' c)
kill -9 "$(minke inspect --format '{{.State.ConmonPid}}' c)"
up_anew() { minke ps >/dev/null && is_running c && [ "$(minke inspect --format '{{.State.Pid}}' c)" != "$pid" ]; }
within 60 up_anew
assert_eq 1 "$(minke inspect --format '{{.RestartCount}}' c)"
ok minke rm -f -t 0 c

start --name w --restart always "$IMG" false >/dev/null
waits() { [ "$(minke inspect --format '{{.State.Restarting}}' w)" = true ]; }
within 60 eval '[ "$(minke inspect --format "{{.RestartCount}}" w)" -ge 5 ]'
within 60 waits
count=$(minke inspect --format '{{.RestartCount}}' w)
kill -9 "$(jq .pid u/containers/*/restart)"
within 60 eval '[ "$(minke inspect --format "{{.RestartCount}}" w)" -gt '"$count"' ]'
