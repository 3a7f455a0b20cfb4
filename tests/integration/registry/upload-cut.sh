#!/bin/bash
# A cut upload goes on where the registry says it is; where it does not say, a new one begins; one that is always cut ends.
. "$(dirname "$0")/../../lib-badregistry.sh"
bad_registry --layers 1 --layer-size 50000000
ok minke pull -q --tls-verify=false "$REG/good/image"
image=$out
layer=$(minke image inspect --format '{{.Digest}}' "$image")
push() { minke push -q --tls-verify=false --retry-delay 10ms "$@" "$image" "$REG/new/image"; }
count() { requests | grep -c "^main $1 /v2/new/image/blobs/uploads/" || true; }

for fault in upload:cut upload:status=500; do
  bad_registry --layer-size 7 --fault "$fault*1"
  ok push --digestfile digest
  assert_eq "$layer" "$(cat digest)" digest
  assert_eq 1 "$(count GET)" 'questions how much has arrived'
  assert_eq 2 "$(count POST)" 'uploads of two blobs'
  assert_asked '^main PATCH [^ ]+ 202 - [1-9][0-9]*-[0-9]+ '
  ok minke rmi "$image"
  ok minke pull -q --tls-verify=false "$REG/new/image"
  assert_eq "$image" "$out"
done

bad_registry --layer-size 7 --fault 'upload:cut*1' --fault progress:status=404
ok push
assert_eq 3 "$(count POST)" 'uploads of two blobs, one of them anew'
assert_not_asked '^main PATCH [^ ]+ 202 - [0-9]'

bad_registry --layer-size 7 --fault upload:cut
expect_exit 125 push --retry 1
assert_match '^Error: writing blob sha256:' "$err"
assert_not_asked ' PUT /v2/new/image/manifests/'
