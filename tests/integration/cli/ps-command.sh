#!/bin/bash
# The COMMAND of ps is the command without the entrypoint; none and host are no networks.
. "$(dirname "$0")/../../lib.sh"
need_image
minke create --name one --network none --entrypoint sleep "$IMG" 1000 >/dev/null
minke create --name two --network host --entrypoint sleep "$IMG" >/dev/null
assert_eq $'one|1000\ntwo|' "$(minke ps -a --format '{{.Names}}|{{.Command}}' | sort)"
assert_eq '["1000"] null' "$(minke ps -a --format json | jq -c 'sort_by(.Names[0])[].Command' | xargs -d '\n')"
assert_eq '' "$(minke ps -aq --filter network=none)"
assert_eq '' "$(minke ps -aq --filter network=host)"
ok minke volume create --label a=1,b=2 v
assert_eq '{"a":"1","b":"2"}' "$(minke volume inspect v --format '{{json .Labels}}')"
minke volume rm v >/dev/null
