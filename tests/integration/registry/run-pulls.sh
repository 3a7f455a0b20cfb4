#!/bin/bash
# run gets an image that is not here; --pull says when a registry is asked.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-registry.sh"
start_registry
push() { command skopeo copy -q --dest-tls-verify=false "docker-archive:$IMAGES/busybox.tar" "docker://$R/$1"; }
asked() { registry_log | grep -c GET || true; }
push box:1
assert_error 125 'image not known' minke run --rm --network none --pull never --tls-verify=false "$R/box:1" true
assert_eq 0 "$(registry_log | grep -c 'GET .*minke' || true)"
ok minke run --rm --network none --tls-verify=false "$R/box:1" echo here
assert_eq here "$out"
assert_match 'Trying to pull' "$err"
before=$(asked)
ok minke run --rm --network none --tls-verify=false "$R/box:1" echo again
assert_eq "$before" "$(asked)" 'questions to the registry'
ok minke run --rm --network none --pull always --quiet --tls-verify=false "$R/box:1" true
assert_eq '' "$err"
[ "$(asked)" -gt "$before" ] || fail 'always did not ask'
assert_error 125 'manifest unknown' minke run --rm --network none --tls-verify=false "$R/box:2" true
# newer: the registry's silence is no error while an image is here
stop_registry
ok minke run --rm --network none --pull newer --tls-verify=false "$R/box:1" true
assert_error 125 'connection refused' minke run --rm --network none --pull always --tls-verify=false "$R/box:1" true
