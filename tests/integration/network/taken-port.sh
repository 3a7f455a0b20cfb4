#!/bin/bash
# A port that somebody has: the error says who, and nothing is left; a container that is gone gives it back.
# needs: root
. "$(dirname "$0")/../../lib-network.sh"
need_image
minke run -d --name a -p 8081:80 "$IMG" sleep 1000 >/dev/null
id=$(minke inspect --format '{{.Id}}' a)
assert_error 126 "cannot listen on the TCP port: listen tcp4 :8081: bind: address already in use \(container ${id:0:12} has it\)" \
  minke run --rm -p 8081:80 "$IMG" true
assert_error 126 'listen tcp4 127.0.0.1:8081: bind: address already in use' minke run --rm -p 127.0.0.1:8081:80 "$IMG" true
ok minke run --rm -p 8081:80/udp "$IMG" true
"$PEER" serve 8082 >/dev/null &
within 20 eval 'ss -ltn | grep -q :8082'
assert_error 126 'listen tcp4 :8082: bind: address already in use \(process [0-9]+ \(.*\) has it\)' minke run --rm -p 8082:80 "$IMG" true
# one that has run before keeps the reason, for whoever did not see the command (a restart policy's)
minke create --name b -p 8083:80 "$IMG" true >/dev/null
ok minke start -a b
"$PEER" serve 8083 >/dev/null &
within 20 eval 'ss -ltn | grep -q :8083'
assert_error 125 'listen tcp4 :8083: bind: address already in use' minke start b
ok minke inspect --format '{{.State.Error}}' b
assert_match 'listen tcp4 :8083: bind: address already in use' "$out"
ok minke rm b
assert_error 126 'cannot assign requested address' minke run --rm -p 198.51.100.9:8085:80 "$IMG" true
assert_error 125 'conflicting port mappings for host port 80 \(protocol tcp\)' minke create -p 80:80 -p 80:81 "$IMG"
ok minke ps -aq
assert_eq "${id:0:12}" "$out"
ok minke stop -t 0 a
ok minke run --rm -p 8081:80 "$IMG" true
nothing_left
