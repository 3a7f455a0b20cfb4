#!/bin/bash
# exec: the newest container, a cidfile, in the background; options end at the container.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c --cidfile id "$IMG" sleep 100 >/dev/null

ok minke exec -l echo hi
assert_eq hi "$out"
ok minke exec --cidfile id echo hi
assert_eq hi "$out"
ok minke exec c echo -e --user x
assert_eq '--user x' "$out"
ok minke exec -d c touch /made
assert_match '^[0-9a-f]{64}$' "$out"
within 20 minke exec c test -e /made
expect_exit 255 minke exec c
assert_error 125 'requires the name or ID' minke exec
