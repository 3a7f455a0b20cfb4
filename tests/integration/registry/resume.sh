#!/bin/bash
# A pull that was killed is gone on with where it was: no byte of a layer is asked for twice.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-registry.sh"
start_registry
layered_image one 1 20000
ok skopeo copy -q --dest-tls-verify=false "oci:$T/one" "docker://$R/one:1"
layer=$(jq -r '.layers[0].digest' "one/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' one/index.json)")
size=$(stat -c %s "one/blobs/sha256/${layer#sha256:}")
for step in 0 1 2 3; do
  MINKE_FAILPOINT=store.fetch:$step expect_exit 137 minke pull -q --tls-verify=false "$R/one:1"
  assert_eq '' "$(minke images -q)" "images after a kill at step $step"
  ok minke pull -q --tls-verify=false "$R/one:1"
  ok minke system check -q
  ok minke rmi "$R/one:1"
done
# part of it is there
mkdir -p r/downloads
head -c 5000000 "one/blobs/sha256/${layer#sha256:}" >"r/downloads/${layer#sha256:}"
: >"$T/reg-r1/log"
ok minke pull -q --tls-verify=false "$R/one:1"
assert_eq $((size - 5000000)) "$(registry_log | awk -v l="$layer" '$1 == "GET" && index($2, l) { n += $4 } END { print n }')" 'bytes sent'
assert_eq '' "$(ls r/downloads)" 'downloads'
# a part that is not of this blob is noticed, and does not stay
ok minke rmi "$R/one:1"
head -c 5000000 /dev/urandom >"r/downloads/${layer#sha256:}"
assert_error 125 "digest mismatch|gzip|damaged|tar: " minke pull -q --tls-verify=false "$R/one:1"
assert_eq '' "$(ls r/downloads)" 'downloads'
ok minke pull -q --tls-verify=false "$R/one:1"
