#!/bin/bash
# A damaged or lost index is made anew in one step: images and lists of images are there again, and killed on the way nothing is
# lost. Of an image with two manifests both keep their blobs.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'a matter of files of minke'
need_image
index=$T/r/images/index.json
ok minke manifest create list
ok minke manifest add list "$IMG"
list=$(minke manifest inspect list)
image=$(minke image inspect --format '{{.Id}}' "$IMG")
ids() { jq -r '.manifests[] | select(.mediaType | test("index")) | .digest' "$index"; }

damage() { # HOW...
  "$@"
  assert_error 125 'damage detected' minke system check
  expect_exit 137 env MINKE_FAILPOINT=store.index:1 "$MINKE" "${engine_options[@]}" system check --repair
  ok minke system check --repair --max 0s
  assert_match 'the image index.*made anew' "$out"
  ok minke system check --max 0s
  assert_eq '' "$out"
  assert_eq "$list" "$(minke manifest inspect "$(ids)")" "the list after $*"
  ok run "$image" true
}
damage cp /dev/null "$index"
damage rm "$index"
# the list can be changed as before
id=$(ids)
ok minke tag "${id#*:}" again
ok minke manifest annotate --variant v9 again "$(jq -r '.manifests[0].digest' <<<"$list")"
assert_match v9 "$(minke manifest inspect again)"
