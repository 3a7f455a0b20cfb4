#!/bin/bash
# events tell a container's life in order, with Podman's names, exit codes and labels.
. "$(dirname "$0")/../../lib.sh"
need_image

of() { minke events --stream=false --filter type=container --filter container="$1" --format '{{.Status}}' | xargs; }
expect_exit 3 minke run --name one --network none --label color=blue "$IMG" sh -c 'exit 3'
within 20 eval '[ "$(of one)" = "create init start attach died cleanup" ]'
ok minke events --stream=false --filter container=one --filter event=died
assert_match " container died [0-9a-f]{64} \(image=$IMG, name=one, color=blue\)$" "$out"
ok minke events --stream=false --filter container=one --filter event=died --format json
assert_eq "3 one $IMG blue died container" "$(field "$out" '"\(.ContainerExitCode) \(.Name) \(.Image) \(.Attributes.color) \(.Status) \(.Type)"')"

start --name two "$IMG" sleep 1000 >/dev/null
paused=
if is_root; then
  ok minke pause two
  ok minke unpause two
  paused=' pause unpause'
fi
ok minke exec two true
expect_exit 4 minke exec two sh -c 'exit 4'
ok minke exec -d two sh -c 'exit 5'
within 20 eval 'minke events --stream=false --filter event=exec_died --format "{{.ContainerExitCode}}" | grep -q 5'
assert_eq '0 4 5' "$(minke events --stream=false --filter event=exec_died --format '{{.ContainerExitCode}}' | xargs)"
ok minke kill -s WINCH two
ok minke restart -t 0 two
ok minke stop -t 0 two
ok minke rm two
assert_eq "create init start$paused exec exec_died exec exec_died exec exec_died kill restart died cleanup stop init start died cleanup stop remove" "$(of two)"
run --name three "$IMG" true
assert_eq "create init start attach died remove" "$(of three)"

# a monitor that is killed has its container's end told by whoever finds it
start --name k "$IMG" sleep 1000 >/dev/null
kill -9 "$(minke inspect --format '{{.State.ConmonPid}}' k)"
within 20 is_exited k
assert_eq 'create init start died cleanup' "$(of k)"
