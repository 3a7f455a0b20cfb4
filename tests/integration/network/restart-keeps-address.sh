#!/bin/bash
# An address is not given again at once, and a container that starts anew has its own while it is free.
. "$(dirname "$0")/../../lib-network.sh"
need_image
minke network create --subnet 10.99.0.0/29 n1 >/dev/null
on_net a n1
on_net b n1
before=$(address_of a n1)
minke restart -t 0 a >/dev/null
assert_eq "$before" "$(address_of a n1)"
minke kill a >/dev/null
within 20 is_exited a
on_net c n1
assert_eq 10.99.0.4 "$(address_of c n1)" 'the next one, not that of a'
minke start a >/dev/null
assert_eq "$before" "$(address_of a n1)"
on_net d n1
on_net e n1
assert_error 126 'failed to find free IP in range: 10.99.0.1 - 10.99.0.6' minke run --rm --network n1 "$IMG" true
minke rm -f -t 0 b >/dev/null
ok minke run --rm --network n1 "$IMG" true
minke run -d --name r --restart always --network podman "$IMG" sleep 1000 >/dev/null
before=$(address_of r podman)
pid=$(minke inspect --format '{{.State.Pid}}' r)
kill -9 "$pid"
within 30 eval '[ "$(minke inspect --format "{{.State.Pid}} {{.State.Status}}" r)" != "$pid running" ] && is_running r'
assert_eq "$before" "$(address_of r podman)"
