#!/bin/bash
# container cleanup may be done at any time; a running container goes on.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c "$IMG" sleep 100 >/dev/null
ok minke container cleanup c
assert_eq running "$(minke inspect --format '{{.State.Status}}' c)"
ok minke stop -t 0 c
ok minke container cleanup c
ok minke container cleanup --rm c
ok minke ps -aq
assert_eq '' "$out"
