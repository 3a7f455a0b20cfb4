#!/bin/bash
# An update of a running container killed at any step: the container runs on, and the next update is whole.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'no failpoints'
need_image

start --name c "$IMG" sleep 1000 >/dev/null
pid=$(minke inspect --format '{{.State.Pid}}' c)
for step in 1 2 3; do
  expect_exit 137 env MINKE_FAILPOINT=engine.update:$step "$MINKE" "${engine_options[@]}" \
    update --restart always --health-cmd "echo $step" --health-interval 100ms c
  ok minke inspect c
  ok minke update --restart on-failure:$step --health-cmd "echo again $step" --health-interval 100ms c
  assert_eq "on-failure $step" "$(minke inspect --format '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}' c)"
  within 30 eval '[ "$(minke inspect c | jq -r ".[0].State.Health.Log[-1].Output")" = "again $step" ]'
  assert_eq "$pid" "$(minke inspect --format '{{.State.Pid}}' c)"
  ok minke update --no-healthcheck --restart no c
done
kill -KILL "$pid"
within 30 is_exited c
assert_eq '' "$(find "$T/r" "$T/u" -name '*.tmp.*')"
