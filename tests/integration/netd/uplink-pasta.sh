#!/bin/bash
# pasta as what carries datagrams out of N: it comes up, answers come back, and one that is killed is started again.
# needs: user
. "$(dirname "$0")/../../lib-network.sh"
need_program pasta
need_image
address=$(ip -4 -o addr show scope global | awk 'NR == 1 {sub("/.*", "", $4); print $4}')
[ -n "$address" ] || skip 'this host has no address but its loopback'
ip -4 route show default | grep -q . || skip 'this host has no default route'
need_ports 1
"$PEER" serve "${port[0]}" "$address" >/dev/null &
within 20 timeout 5 "$PEER" ask udp "$address" "${port[0]}"
status() { minke system netd status | jq -r "$1"; }
minke unshare true # makes N
holder=$(cut -d' ' -f1 "$T/u/userns")
# shellcheck disable=SC2016 # for the inner shell
nsenter -t "$holder" -U --preserve-credentials bash -c 'exec 3</proc/$0/ns/net; exec "$@"' "$holder" \
  "$BIN/minke-netd" --root "$T/r" --runroot "$T/u" --user "$(id -un)" --uid "$(id -u)" --rootless --uplink pasta </dev/null >/dev/null
within 20 eval '[ "$(status .uplink.up)" = true ]'
assert_eq pasta "$(status .uplink.program)"
minke run -d --name c "${serving[@]}" "$IMG" sleep 1000 >/dev/null
asked() { within 30 eval 'minke exec c timeout 5 netpeer ask udp "$address" "${port[0]}"'; }
asked
ok minke exec c timeout 20 netpeer ask tcp "$address" "${port[0]}"
kill -9 "$(cut -d' ' -f1 "$T/u/uplink")"
within 30 eval '[ "$(status .uplink.restarts)" = 1 ] && [ "$(status .uplink.up)" = true ]'
asked
minke rm -f -t 0 c >/dev/null
nothing_left
