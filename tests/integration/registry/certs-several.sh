#!/bin/bash
# Of several certificates in a folder the one is shown that the registry's authorities have issued; a broken one is named.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-registry.sh"
need_image
start_registry r1 mtls
authority "$T/ca/strange" 'somebody else'
assert_error 125 'tls: |certificate' minke push -q --retry 0 --cert-dir "$CERTS" "$IMG" "$R/box"
client_certificate "$CERTS/1-strange" "$T/ca/strange"
assert_error 125 'tls: |certificate' minke push -q --retry 0 --cert-dir "$CERTS" "$IMG" "$R/box"
client_certificate "$CERTS/2-ours" "$T/ca/clients"
client_certificate "$CERTS/3-strange" "$T/ca/strange"
ok minke push -q --cert-dir "$CERTS" "$IMG" "$R/box"
ok minke rmi -a
ok minke pull -q --cert-dir "$CERTS" "$R/box"
echo broken >"$CERTS/3-strange.key"
assert_error 125 "key $CERTS/3-strange.key: " minke pull -q --cert-dir "$CERTS" "$R/box"
