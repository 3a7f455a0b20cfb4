#!/bin/bash
# Two engines of one host, that have written the same default network: the second plans its own anew; a network of the user's is refused.
# needs: root
. "$(dirname "$0")/../../lib-network.sh"
need_image
other() { command "$MINKE" --root "$T/r2" --runroot "$T/u2" "$@"; }
other load -q -i "$IMAGES/busybox.tar" >/dev/null
other network create --interface-name minke7 --subnet 10.77.0.0/24 front >/dev/null
other run --rm "$IMG" true # writes its default network
ip link del minke0
minke run -d --name c --cap-add net_raw "$IMG" sleep 1000 >/dev/null
minke network create --interface-name minke7 --subnet 10.77.0.0/24 front >/dev/null
minke run -d --name f --network front --cap-add net_raw "$IMG" sleep 1000 >/dev/null
ok other run --rm "$IMG" ip -o -4 addr show dev eth0
assert_no_match 'inet 10\.88\.0\.' "$out"
ok minke exec c ping -c 1 -W 5 10.88.0.1
assert_error 126 'bridge minke7 is of another engine' other run --rm --network front "$IMG" true
ok other network rm front
ok minke exec f ping -c 1 -W 5 10.77.0.1
ok other system reset -f
assert_match 10.88.0.1 "$(ip -4 addr show minke0)"
minke rm -f -t 0 c f >/dev/null
nothing_left
