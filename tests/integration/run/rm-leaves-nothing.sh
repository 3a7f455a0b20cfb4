#!/bin/bash
# --rm leaves neither container nor files; anonymous volumes go too.
. "$(dirname "$0")/../../lib.sh"
need_image
before=$(minke volume ls -q)

ok run -v /data "$IMG" touch /data/x
ok minke ps -aq
assert_eq '' "$out"
assert_eq "$before" "$(minke volume ls -q)"
