#!/bin/bash
# image inspect: configuration, layers, names, and by short id.
. "$(dirname "$0")/../../lib.sh"
need_image
ok minke image inspect "$IMG"
assert_eq 'amd64 linux ["sh"] 2 ["localhost/busybox:latest"]' \
  "$(field "$out" '.[0] | "\(.Architecture) \(.Os) \(.Config.Cmd | tojson) \(.RootFS.Layers | length) \(.RepoTags | tojson)"')"
id=$(field "$out" '.[0].Id')
assert_match '^[0-9a-f]{64}$' "$id"
ok minke image inspect --format '{{.Id}}' "${id:0:10}"
assert_eq "$id" "$out"
expect_exit 125 minke image inspect localhost/none:latest
expect_exit 1 minke image exists localhost/none:latest
