#!/bin/bash
# container prune removes what does not run, asked or forced, filtered.
. "$(dirname "$0")/../../lib.sh"
need_image
up=$(start --name up "$IMG" sleep 1000)
a=$(minke create --network none --name a -l keep=no "$IMG" true)
b=$(minke create --network none --name b --requires a "$IMG" true)
ok minke container prune -f --filter label=keep=yes
assert_eq '' "$out"
assert_error 125 'EOF' minke container prune
assert_match 'WARNING! This will remove all non running containers' "$out"
echo n | minke container prune >/dev/null
ok minke container exists a
ok minke container prune -f
assert_eq "$b $a" "$(xargs <<<"$out")"
assert_eq "$up" "$(minke ps -aq --no-trunc)"
assert_error 125 'foo is an invalid filter' minke container prune -f --filter foo=1
