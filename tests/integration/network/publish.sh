#!/bin/bash
# Published ports: from another host with its own address, from this one, ranges, udp; port and ps name them.
# needs: root
. "$(dirname "$0")/../../lib-network.sh"
need_image
make_outside
minke run -d --name c -p 8081:80 -p 127.0.0.1:9000-9002:90-92 -p 8083:83/udp "${serving[@]}" "$IMG" sleep 1000 >/dev/null
serve c 80
serve c 91
serve c 83
assert_eq 192.0.2.2 "$(out timeout 5 "$PEER" ask tcp 192.0.2.1 8081 | cut -d' ' -f1)"
assert_eq 2001:db8:2::2 "$(out timeout 5 "$PEER" ask tcp 2001:db8:2::1 8081 | cut -d' ' -f1)"
assert_eq 192.0.2.2 "$(out timeout 5 "$PEER" ask udp 192.0.2.1 8083 | cut -d' ' -f1)"
assert_eq 10.88.0.1 "$(seen_as tcp 127.0.0.1 8081)"
assert_eq 192.0.2.1 "$(seen_as tcp 192.0.2.1 8081)"
assert_eq 10.88.0.1 "$(seen_as tcp 127.0.0.1 9001)"
assert_match ECONNREFUSED "$(out timeout 2 "$PEER" ask tcp 192.0.2.1 9001 || true)"
ok minke port c
assert_eq $'80/tcp -> 0.0.0.0:8081\n90/tcp -> 127.0.0.1:9000\n91/tcp -> 127.0.0.1:9001\n92/tcp -> 127.0.0.1:9002\n83/udp -> 0.0.0.0:8083' "$out"
ok minke port c 80
assert_eq 0.0.0.0:8081 "$out"
ok minke port c 83/udp
assert_eq 0.0.0.0:8083 "$out"
assert_error 125 'failed to find published port "83"' minke port c 83
ok minke ps --format '{{.Ports}}'
assert_eq '0.0.0.0:8081->80/tcp, 127.0.0.1:9000-9002->90-92/tcp, 0.0.0.0:8083->83/udp' "$out"
ok minke inspect --format '{{json (index .NetworkSettings.Ports "80/tcp")}}' c
assert_eq '[{"HostIp":"","HostPort":"8081"}]' "$out"
ok minke port --all
assert_match '80/tcp -> 0.0.0.0:8081' "$out"
ok minke rm -f -t 0 c
nothing_left
