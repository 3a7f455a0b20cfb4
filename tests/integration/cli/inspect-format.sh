#!/bin/bash
# inspect --format: nested fields, index, range, json; a missing object is told.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c --label a.b=1 -e X=y --hostname h -m 64m "$IMG" sleep 100 >/dev/null 2>&1 ||
  start --name c --label a.b=1 -e X=y --hostname h "$IMG" sleep 100 >/dev/null

ok minke inspect --format '{{.Name}} {{.State.Running}} {{.Config.Hostname}} {{index .Config.Labels "a.b"}}' c
assert_eq 'c true h 1' "$out"
ok minke inspect --format '{{range .Config.Env}}{{println .}}{{end}}' c
assert_match $'(^|\n)X=y(\n|$)' "$out"
ok minke inspect --format '{{json .Config.Cmd}}' c
assert_eq '["sleep","100"]' "$out"
ok minke inspect c
assert_eq 'c localhost/busybox:latest' "$(field "$out" '.[0] | "\(.Name) \(.ImageName)"')"
expect_exit 125 minke inspect no-such
assert_match 'no such (object|container)' "${err,,}"
