#!/bin/bash
# --network pasta[:options]: the host's own address inside, published ports with clients' addresses, options handed on; for users alone.
. "$(dirname "$0")/../../lib-network.sh"
need_image
if is_root; then
  assert_error 125 'pasta networking is only supported for rootless mode' minke run --rm --network pasta "$IMG" true
  exit 0
fi
need_program pasta
[ -w /dev/net/tun ] || skip 'no /dev/net/tun'
address=$(ip -4 -o addr show scope global | awk 'NR == 1 {sub("/.*", "", $4); print $4}')
[ -n "$address" ] || skip 'this host has no address but its loopback'
ip -4 route show default | grep -q . || skip 'this host has no default route'
need_ports 2
minke run -d --name s --network pasta:--mtu,1400 -p "${port[0]}:80" -p "${port[1]}:81/udp" "${serving[@]}" "$IMG" \
  sh -c 'netpeer serve 80 & netpeer serve 81 & exec sleep 1000' >/dev/null
ok minke exec s ip -o -4 addr
assert_match "$address/" "$out"
ok minke exec s sh -c 'cat /sys/class/net/*/mtu; cat /etc/hosts'
assert_match '1400' "$out"
assert_match "$address	[0-9a-f]{12} s" "$out"
within 20 eval 'seen_as tcp "$address" "${port[0]}"'
helper=$(cut -d' ' -f1 "$T"/u/containers/*/helper.pid)
ok minke restart -t 0 s
within 20 eval '! kill -0 $helper'
within 20 eval 'seen_as tcp "$address" "${port[0]}"'
# shellcheck disable=SC2034 # in eval
helper=$(cut -d' ' -f1 "$T"/u/containers/*/helper.pid)
kill -9 "$(minke inspect --format '{{.State.ConmonPid}}' s)"
ok minke ps -a
ok minke rm -f -t 0 s
within 20 eval '! kill -0 $helper'
for step in engine.helper:1 engine.helper:2 engine.helper:3; do
  # shellcheck disable=SC2154 # lib.sh sets it
  (export MINKE_FAILPOINT=$step && exec "$MINKE" "${engine_options[@]}" run -d --name k --network pasta -p "${port[0]}:80" "$IMG" sleep 1000) >/dev/null 2>&1 && fail "$step"
  minke rm -f -t 0 -i k >/dev/null
  ok minke run --rm --network pasta -p "${port[0]}:80" "$IMG" true
done
assert_error 126 'pasta failed with exit code' minke run --rm --network pasta:--no-such-option "$IMG" true
nothing_left
