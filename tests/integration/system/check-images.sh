#!/bin/bash
# system check: blobs are read against their digests, layers looked at, a lost index is made anew.
. "$(dirname "$0")/../../lib.sh"
need_image
need_image debian

blob() { jq -r '.manifests[]|select(.annotations["org.opencontainers.image.ref.name"]=="'"$1"'").digest' "$T/r/images/index.json" | cut -d: -f2; }
manifest=$T/r/images/blobs/sha256/$(blob "$IMG")
layer=$(jq -r '.layers[0].digest' "$manifest" | cut -d: -f2)
debian=$(minke images --format '{{.Repository}}:{{.Tag}}' | grep debian)

printf x >>"$T/r/images/blobs/sha256/$layer"
ok minke system check --quick
assert_error 125 'damage detected' minke system check
assert_match "image [0-9a-f]{12}: blob sha256:$layer" "$out"
ok minke create --name c "$IMG" true
assert_error 125 'still present' minke system check --repair
assert_match 'containers use it' "$out"
ok minke rm c
ok minke system check --repair
assert_match 'removed' "$out"
expect_exit 1 minke image exists "$IMG"
ok minke image exists "$debian"
need_image

echo garbage >"$T/r/images/index.json"
assert_error 125 'image index' minke images
assert_error 125 'damage detected' minke system check
ok minke system check --repair
assert_match 'made anew' "$out"
ok minke images -q
assert_eq 2 "$(wc -l <<<"$out")" 'both images are still there'
ok minke system check
for id in $out $(minke images -q); do
  if run "$id" sh -c 'exit 0' >/dev/null 2>&1; then continue; fi
  fail "image $id does not run"
done

# Data that nobody needs: left alone while young, removed when old.
head -c 100 /dev/urandom >"$T/blob"
orphan=$(sha256sum <"$T/blob" | cut -d' ' -f1)
cp "$T/blob" "$T/r/images/blobs/sha256/$orphan"
ok minke system check
assert_error 125 'damage detected' minke system check --max 0s
assert_match "blob $orphan: no image and no container needs it" "$out"
ok minke system check --max 0s --repair
[ ! -e "$T/r/images/blobs/sha256/$orphan" ] || fail 'still there'
