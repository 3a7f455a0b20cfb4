#!/bin/bash
# A user's socket of a service manager (LISTEN_FDS) at a published port serves it: through a killed netd, and a restart by the policy.
# shellcheck disable=SC2154 # lib.sh sets them
# needs: user
. "$(dirname "$0")/../../lib-network.sh"
need_image
need_program python3
need_ports 4
handed() { timeout 60 "$(dirname "$0")/../../handed-sockets" "$@"; }
minke create --name c -p "${port[0]}:80" -p "127.0.0.1:${port[1]}:81" -p "${port[2]}:83/udp" --restart always \
  "${serving[@]}" "$IMG" sh -c 'netpeer serve 80 & netpeer serve 81 & netpeer serve 83 & cat /proc/self/environ; exec sleep 1000' >/dev/null
ok handed "both:[::]:${port[0]}" "tcp:127.0.0.1:${port[1]}" "udp:0.0.0.0:${port[2]}" -- "$MINKE" "${engine_options[@]}" start c
# shellcheck disable=SC2034 # in eval
gateway=$(minke network inspect --format '{{(index .Subnets 0).Gateway}}' "$(minke network ls -q)")
served() {
  within 30 eval '[ "$(seen_as tcp 127.0.0.1 "${port[0]}")" = "$gateway" ]'
  within 30 eval '[ "$(seen_as tcp 127.0.0.1 "${port[1]}")" = "$gateway" ]'
  within 30 eval '[ "$(seen_as udp 127.0.0.1 "${port[2]}")" = "$gateway" ]'
}
served
[[ "$(minke logs c)" != *LISTEN_FDS* ]] || fail 'the container was told of them'
# the very socket is used: one of both families, where netd's own would be of one each
assert_eq 1 "$(ss -Hlnt "sport = :${port[0]}" | wc -l)"

kill -9 "$(minke system netd status | jq .pid)"
served
# once more by the policy: netd could not bind them, were they not handed on
kill -9 "$(minke inspect --format '{{.State.Pid}}' c)"
within 30 eval '[ "$(minke inspect --format "{{.RestartCount}}" c)" = 1 ]'
served
ok minke rm -f -t 0 c
! timeout 5 "$PEER" ask tcp 127.0.0.1 "${port[0]}" >/dev/null 2>&1 || fail 'still listened'

# what cannot serve says why
minke create --name d -p "${port[0]}:80" "$IMG" true >/dev/null
assert_error 125 'not at the address of the published port .any.' handed "tcp:127.0.0.1:${port[0]}" -- "$MINKE" "${engine_options[@]}" start d
assert_error 125 'does not listen: set Accept=no' handed "bound:0.0.0.0:${port[0]}" -- "$MINKE" "${engine_options[@]}" start d
nothing_left
