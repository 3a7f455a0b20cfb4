#!/bin/bash
# pull gets what another tool pushed, by tag and by digest, with that digest; a second pull fetches no layer again.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-registry.sh"
start_registry
layered_image three 3
digest=$(jq -r '.manifests[0].digest' three/index.json)
ok skopeo copy -q --dest-tls-verify=false "oci:$T/three" "docker://$R/team/three:1"

ok minke pull --tls-verify=false "$R/team/three:1"
assert_match 'Trying to pull .*/team/three:1\.\.\.' "$err"
assert_eq 3 "$(grep -c 'Copying blob sha256:' <<<"$err")" 'lines of blobs'
id=$out
assert_eq "$id" "$(minke images -q --no-trunc | sed 's/sha256://')" id
assert_eq "$digest" "$(minke inspect --format '{{.Digest}}' "$R/team/three:1")" digest
ok minke system check -q

blobs() { registry_log | grep -c 'GET .*/blobs/' || true; }
before=$(blobs)
ok minke pull -q --tls-verify=false "$R/team/three:1"
assert_eq "$id" "$out"
assert_eq '' "$err" 'what --quiet says'
# the config alone, which decides what is known
[ $(($(blobs) - before)) -le 1 ] || fail "layers were fetched again"

ok minke rmi "$R/team/three:1"
ok minke pull -q --tls-verify=false "$R/team/three@$digest"
assert_eq "$id" "$out" 'id by digest'
ok minke inspect "$R/team/three@$digest"
ok minke rmi -a
assert_eq '' "$(find r/images/blobs/sha256 r/downloads r/layers -mindepth 1)" 'left behind'
