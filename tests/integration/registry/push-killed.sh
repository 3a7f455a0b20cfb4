#!/bin/bash
# A push that is killed or fails half way leaves the archive that was there, and nothing beside it; nor an image that it
# fetched only to push it on.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-registry.sh"
need_image
start_registry
killed() { # STEP ARGUMENT...
  local step=$1
  shift
  expect_exit 137 env MINKE_FAILPOINT="$step" "$MINKE" --root "$T/r" --runroot "$T/u" "$@"
}
mkdir out
ok minke push -q "$IMG" "oci-archive:$T/out/a.tar:box"
ok minke tag "$IMG" other
sum=$(sha256sum <out/a.tar)
killed engine.push:1 push -q other "oci-archive:$T/out/a.tar:other"
killed engine.push:1 push -q other "oci-archive:$T/out/b.tar:other"
killed engine.push:1 push -q other "docker-archive:$T/out/c.tar:other"
assert_eq "$sum" "$(sha256sum <out/a.tar)" 'the archive'
assert_eq a.tar "$(ls -A out)"
ok minke push -q other "oci-archive:$T/out/a.tar:other"
assert_eq other "$(tar -xOf out/a.tar index.json | jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]')"

# what is no file is written as it is
mkfifo pipe
cat pipe >piped &
ok minke push -q "$IMG" "docker-archive:$T/pipe:box:1"
wait $!
ok tar -tf piped manifest.json
minke push -q "$IMG" oci-archive:/dev/stdout 2>err | tar -tf - >names || fail "$(cat err)"
grep -q index.json names

# a blob that is damaged: the archive of before stays
blob=r/images/blobs/sha256/$(minke image inspect --format '{{(index .RootFS.Layers 0)}}' "$IMG" | cut -d: -f2)
[ -e "$blob" ] || blob=$(find r/images/blobs/sha256 -type f -size +100k | head -n 1)
sum=$(sha256sum <out/a.tar)
cp "$blob" blob && chmod u+w "$blob" && printf x | dd of="$blob" bs=1 seek=5000 conv=notrunc status=none
expect_exit 125 minke push -q "$IMG" "oci-archive:$T/out/a.tar:box"
expect_exit 125 minke save -q --format oci-archive -o "$T/out/a.tar" "$IMG"
assert_eq "$sum" "$(sha256sum <out/a.tar)" 'the archive'
assert_eq a.tar "$(ls -A out)"
cat blob >"$blob"

# a list with an image of a registry
layered_image far 2
ok skopeo copy -q --dest-tls-verify=false "oci:$T/far" "docker://$R/team/far:1"
ok minke manifest create list
ok minke manifest add --tls-verify=false list "docker://$R/team/far:1"
before=$(minke images -aq --no-trunc | sort)
killed engine.manifest-push:1 manifest push -q --all --tls-verify=false list "docker://$R/team/list:1"
assert_eq "$before" "$(minke images -aq --no-trunc | sort)" 'the images'
ok minke manifest push -q --all --tls-verify=false list "docker://$R/team/list:1"
assert_eq "$before" "$(minke images -aq --no-trunc | sort)" 'the images'
assert_eq '' "$(ls r/staging)" 'staged'
ok skopeo inspect --tls-verify=false "docker://$R/team/list:1"
assert_eq 2 "$(jq '.Layers | length' <<<"$out")"
ok minke rmi -af
assert_eq '' "$(find r/images/blobs/sha256 -mindepth 1)" 'left behind'
