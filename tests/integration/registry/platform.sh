#!/bin/bash
# Of a list the image of this machine, or of the platform asked for, is taken; digests of both the list and the image name it.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-registry.sh"
start_registry
list='{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":['
# shellcheck disable=SC2094 # of files that are not the one written
for arch in amd64 arm64 arm; do
  layered_image "$arch" 1
  cfg=$(jq -r '.config.digest[7:]' "$arch/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$arch/index.json")")
  m=$arch/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$arch/index.json")
  jq -c --arg a "$arch" '.architecture = $a' "$arch/blobs/sha256/$cfg" >"$T/cfg"
  new=$(sha256sum <"$T/cfg" | cut -d' ' -f1) size=$(stat -c %s "$T/cfg") && mv "$T/cfg" "$arch/blobs/sha256/$new"
  jq -c --arg d "sha256:$new" --argjson s "$size" '.config.digest = $d | .config.size = $s' "$m" >m
  d=$(sha256sum <m | cut -d' ' -f1) s=$(stat -c %s m) && mv m "$arch/blobs/sha256/$d"
  jq -c --arg d "sha256:$d" --argjson s "$s" '.manifests[0].digest = $d | .manifests[0].size = $s' "$arch/index.json" >i && mv i "$arch/index.json"
  ok skopeo copy -q --dest-tls-verify=false "oci:$T/$arch" "docker://$R/many:$arch"
  variant=''
  [ $arch != arm ] || variant=',"variant":"v7"'
  list+="{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:$d\",\"size\":$s,\"platform\":{\"os\":\"linux\",\"architecture\":\"$arch\"$variant}},"
  [ $arch != amd64 ] || own=sha256:$d
done
printf '%s]}' "${list%,}" >list.json
digest=sha256:$(sha256sum <list.json | cut -d' ' -f1)
ok curl -fsS -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' --data-binary @list.json "http://$R/v2/many/manifests/1"
ok minke pull -q --tls-verify=false "$R/many:1"
ok minke inspect "$R/many:1"
assert_eq amd64 "$(field "$out" '.[0].Architecture')"
assert_eq "$R/many@$digest" "$(field "$out" '.[0].RepoDigests[] | select(endswith("'"$digest"'"))')" 'digest of the list'
assert_eq "$R/many@$own" "$(field "$out" '.[0].RepoDigests[] | select(endswith("'"$own"'"))')" 'digest of the image'
ok minke inspect "$R/many@$digest"
ok minke pull -q --tls-verify=false --arch aarch64 "$R/many:1"
assert_eq arm64 "$(minke inspect --format '{{.Architecture}}' "$R/many:1")"
ok minke pull -q --tls-verify=false --platform linux/arm/v7 "$R/many:1"
assert_eq arm "$(minke inspect --format '{{.Architecture}}' "$R/many:1")"
# here, but of another platform
ok minke pull -q --tls-verify=false --policy missing --platform linux/amd64 "$R/many:1"
assert_eq amd64 "$(minke inspect --format '{{.Architecture}}' "$R/many:1")"
assert_error 125 'no image found in image index for architecture "s390x", variant "", OS "linux"' \
  minke pull -q --tls-verify=false --arch s390x "$R/many:1"
