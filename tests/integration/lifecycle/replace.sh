#!/bin/bash
# --replace takes its time to end the old one with no lock held: images can be removed meanwhile. It is there afterwards under the
# same name; a missing image leaves the old one as it is.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c --stop-timeout 600 "$IMG" sh -c 'trap "echo term" TERM; echo ready; while :; do sleep 0.1; done' >/dev/null
within 20 eval 'minke logs c | grep -q ready'
old=$(minke inspect --format '{{.Id}}' c)
expect_exit 125 minke run --replace --name c --pull never --network none localhost/nosuch true
assert_eq "$old" "$(minke inspect --format '{{.Id}}' c)"
ok minke tag "$IMG" localhost/extra:1
background run -d --replace --name c --network none "$IMG" sleep 1000 >/dev/null 2>&1
within 30 eval 'minke logs c | grep -q term'
ok timeout 60 "$MINKE" "${engine_options[@]}" rmi localhost/extra:1
assert_eq "$old" "$(minke inspect --format '{{.Id}}' c)"
ok minke kill -s KILL "$old"
wait "$client"
[ "$(minke inspect --format '{{.Id}}' c)" != "$old" ] || fail 'not replaced'
assert_eq running "$(state_of c)"
