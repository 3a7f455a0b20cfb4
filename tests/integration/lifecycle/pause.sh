#!/bin/bash
# pause freezes, unpause thaws; a paused container refuses exec.
# needs: root
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c -v "$T:/out" "$IMG" sh -c 'while :; do echo . >>/out/beat; sleep 0.05; done' >/dev/null
within 20 test -s beat

ok minke pause c
assert_eq paused "$(state_of c)"
before=$(wc -c <beat)
sleep 0.5
assert_eq "$before" "$(wc -c <beat)"
expect_exit 255 minke exec c true
assert_error 125 'is already paused: container state improper' minke pause c
assert_error 125 'unable to restart a container in a paused or unknown state: container state improper' minke restart -t 0 c
ok minke create --name made "$IMG"
assert_error 125 '"created" is not running, can.t pause: container state improper' minke pause made
ok minke unpause c
within 20 eval '[ "$(wc -c <beat)" -gt "$before" ]'
