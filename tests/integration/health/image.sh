#!/bin/bash
# The image's own HEALTHCHECK holds, unless --no-healthcheck or --health-cmd none; times may be changed.
. "$(dirname "$0")/../../lib.sh"

mkdir empty
busybox_image i.tar localhost/checked:latest '{"Cmd":["sleep","1000"],"Healthcheck":{"Test":["CMD","true"],"Interval":200000000,"Retries":7}}' empty
ok minke load -i i.tar
start --name c localhost/checked >/dev/null
ok timeout 60 "$MINKE" "${engine_options[@]}" wait --condition healthy c
assert_eq '[CMD true] 7' "$(minke inspect --format '{{.Config.Healthcheck.Test}} {{.Config.Healthcheck.Retries}}' c)"
start --name r --health-retries 2 localhost/checked >/dev/null
assert_eq '[CMD true] 2' "$(minke inspect --format '{{.Config.Healthcheck.Test}} {{.Config.Healthcheck.Retries}}' r)"
start --name n --no-healthcheck localhost/checked >/dev/null
start --name m --health-cmd none localhost/checked >/dev/null
for name in n m; do
  assert_eq '<nil>' "$(minke inspect --format '{{.Config.Healthcheck}}' $name)"
  assert_error 125 'no defined healthcheck' minke healthcheck run $name
done
