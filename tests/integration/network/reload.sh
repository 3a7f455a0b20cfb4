#!/bin/bash
# network reload lays rules anew that somebody has thrown away.
# needs: root
. "$(dirname "$0")/../../lib-network.sh"
need_program nft
need_image
minke run -d --name c -p 8081:80 "${serving[@]}" "$IMG" sleep 1000 >/dev/null
serve c 80
within 20 eval '[ "$(seen_as tcp 127.0.0.1 8081)" = 10.88.0.1 ]'
nft flush ruleset
ok minke network reload c
assert_eq "$(minke inspect --format '{{.Id}}' c)" "$out"
within 20 eval '[ "$(seen_as tcp 127.0.0.1 8081)" = 10.88.0.1 ]'
nft flush ruleset
ok minke network reload -a
within 20 eval '[ "$(seen_as tcp 127.0.0.1 8081)" = 10.88.0.1 ]'
minke stop -t 0 c >/dev/null
assert_error 125 'cannot reload network unless container network has been configured: container state improper' minke network reload c
