#!/bin/bash
# A registry with TLS and a password: its authority by --cert-dir, who one is by --creds or the authentication file.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-registry.sh"
start_registry r1 tls auth
ok skopeo copy -q --dest-cert-dir "$CERTS" --dest-creds "$REG_USER:$REG_PASS" "docker-archive:$IMAGES/busybox.tar" "docker://$R/box:1"
assert_error 125 'certificate signed by unknown authority' minke pull "$R/box:1"
assert_error 125 'unauthorized|authentication required' minke pull --cert-dir "$CERTS" "$R/box:1"
assert_error 125 'unauthorized|authentication required' minke pull --cert-dir "$CERTS" --creds "$REG_USER:wrong" "$R/box:1"
assert_eq '' "$(minke images -q)"
ok minke pull -q --cert-dir "$CERTS" --creds "$REG_USER:$REG_PASS" "$R/box:1"
ok minke rmi "$R/box:1"
printf '{"auths":{"%s":{"auth":"%s"}}}' "$R" "$(printf '%s:%s' "$REG_USER" "$REG_PASS" | base64)" >auth.json
ok minke pull -q --cert-dir "$CERTS" --authfile auth.json "$R/box:1"
ok minke pull -q --tls-verify=false --authfile auth.json "$R/box:1"
assert_no_match "$REG_PASS" "$(cat "$T"/r/staging/* "$T"/r/downloads/* 2>/dev/null)" 'files of the store'
