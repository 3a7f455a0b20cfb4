#!/bin/bash
# Lists of images: made of images here and elsewhere, annotated, pushed so that others read the same bytes, and removed.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-registry.sh"
start_registry
layered_image here 1
layered_image there 2
ok skopeo copy -q --dest-tls-verify=false "oci:$T/here" "docker://$R/team/here:1"
ok skopeo copy -q --dest-tls-verify=false "oci:$T/there" "docker://$R/team/there:1"
here=$(jq -r '.manifests[0].digest' here/index.json) there=$(jq -r '.manifests[0].digest' there/index.json)
ok minke pull -q --tls-verify=false "$R/team/here:1"
image=$out

ok minke manifest create list
id=$out
assert_match '^[0-9a-f]{64}$' "$id"
expect_exit 125 minke manifest create list
assert_match 'creating image to hold manifest list: image name "localhost/list:latest" is already associated' "$err"
ok minke manifest add list "$R/team/here:1"
assert_eq "$id" "$out" 'the id stays'
ok minke manifest add --tls-verify=false --arch arm64 --variant v8 list "docker://$R/team/there:1"
ok minke manifest annotate --annotation left=right --os-version 7 list "$here"
ok minke manifest inspect list
assert_eq "$here amd64 right 7
$there arm64 null null" "$(jq -r '.manifests[] | "\(.digest) \(.platform.architecture) \(.annotations.left) \(.platform["os.version"])"' <<<"$out")"

# It shows among the images, and is the image for this host where one is needed.
ok minke images --filter manifest=true --no-trunc --format '{{.ID}} {{.Repository}}'
assert_eq "sha256:$id localhost/list" "$out"
ok minke image inspect --format '{{.Id}}' list
assert_eq "$image" "$out"
ok minke manifest exists list
expect_exit 1 minke manifest exists nosuch
expect_exit 125 minke manifest exists "$R/team/here:1"
assert_match 'image is not a manifest list' "$err"
ok minke system check

# Pushed with its images, that of the other repository too.
ok minke manifest push --tls-verify=false --digestfile "$T/digest" list "docker://$R/team/list:1"
assert_match 'Copying 2 of 2 images in list' "$err"
ok skopeo inspect --raw --tls-verify=false "docker://$R/team/list:1"
assert_eq "$(cat "$T/digest")" "sha256:$(sha256sum <"$T/.out" | cut -d' ' -f1)"
ok skopeo copy -q --src-tls-verify=false --override-arch arm64 --override-variant v8 "docker://$R/team/list:1" "oci:$T/back"
assert_eq "$there" "$(jq -r '.manifests[0].digest' back/index.json)"
ok minke manifest inspect --tls-verify=false "$R/team/list:1"
assert_eq 2 "$(jq '.manifests | length' <<<"$out")"
ok minke images -q
assert_eq 2 "$(wc -l <<<"$out")" 'what was fetched to be pushed is gone'

# From a list: one image of it, or all.
ok minke manifest create --tls-verify=false one "docker://$R/team/list:1"
assert_eq "$here" "$(minke manifest inspect one | jq -r '.manifests[].digest')"
ok minke manifest create --tls-verify=false --all both "docker://$R/team/list:1"
assert_eq 2 "$(minke manifest inspect both | jq '.manifests | length')"
ok minke manifest remove both "$here"
assert_eq "$there" "$(minke manifest inspect both | jq -r '.manifests[].digest')"
expect_exit 125 minke manifest remove both "$here"
assert_match 'no instance matching digest' "$err"

# What fails leaves no list.
expect_exit 125 minke manifest create --tls-verify=false broken "docker://$R/team/nosuch:1"
assert_match 'setting up to read manifest and configuration from "docker://.*nosuch:1": .*unknown' "$err"
expect_exit 1 minke manifest exists broken
expect_exit 125 minke manifest push --compression-format zstd list "$R/team/list:2"
expect_exit 125 minke manifest push list "oci:$T/out"
assert_match 'registries only' "$err"

ok minke manifest rm one both
assert_eq 2 "$(grep -c '^Untagged: ' <<<"$out")"
assert_eq 2 "$(grep -c '^Deleted: ' <<<"$out")"
expect_exit 1 minke manifest rm nosuch
ok minke manifest rm --ignore nosuch
ok minke tag list other:1
ok minke rmi other:1
ok minke rmi -f list "$image"
assert_eq '' "$(ls r/images/blobs/sha256)" 'left behind'
