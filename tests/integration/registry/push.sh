#!/bin/bash
# push keeps the digest of what was pulled, sends no blob twice, and mounts what another repository of the registry has.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-registry.sh"
start_registry
layered_image three 3
digest=$(jq -r '.manifests[0].digest' three/index.json)
ok skopeo copy -q --dest-tls-verify=false "oci:$T/three" "docker://$R/team/three:1"
ok minke pull -q --tls-verify=false "$R/team/three:1"
patches() { registry_log "$@" | grep -c '^PATCH' || true; }

# the same registry, another repository: all of it is mounted
before=$(patches)
ok minke push --tls-verify=false "$R/team/three:1" "$R/other/three:2"
assert_match 'Writing manifest to image destination' "$err"
assert_eq '' "$out"
# the config is no layer: it is sent
assert_eq 1 $(($(patches) - before)) 'blobs sent'
assert_eq "$digest" "$(command skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$R/other/three:2")" digest
before=$(patches)
ok minke push -q --tls-verify=false "$R/team/three:1" "docker://$R/other/three:3"
assert_eq "$before" "$(patches)" 'blobs sent by the second push'
assert_eq '' "$err"

# another registry: four blobs; what others pull from there is what was pushed
R1=$R
start_registry r2 plain auth
assert_error 125 'unauthorized|authentication required' minke push -q --tls-verify=false "$R1/team/three:1" "$R/three:1"
ok minke push -q --tls-verify=false --creds "$REG_USER:$REG_PASS" --digestfile d "$R1/team/three:1" "$R/three:1"
assert_eq "$digest" "$(cat d)" 'digest file'
assert_eq 4 "$(patches r2)" 'blobs sent'
ok command skopeo copy -q --src-tls-verify=false --src-creds "$REG_USER:$REG_PASS" "docker://$R/three:1" "oci:$T/back"
assert_eq "$digest" "$(jq -r '.manifests[0].digest' back/index.json)" 'digest by skopeo'
assert_error 125 'image not known' minke push -q --tls-verify=false nosuch "$R/x"
assert_error 125 'sign' minke push --sign-by me "$R1/team/three:1" "$R/x"
