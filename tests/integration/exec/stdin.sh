#!/bin/bash
# exec -i passes standard input on, to its end; -d comes back at once.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c "$IMG" sleep 100 >/dev/null

assert_eq 200000 "$(head -c 200000 /dev/zero | minke exec -i c wc -c)"
assert_eq '' "$(echo x | minke exec c cat)"
ok minke exec -d c sh -c 'sleep 1; echo done >/tmp/done'
within 20 minke exec c test -e /tmp/done
