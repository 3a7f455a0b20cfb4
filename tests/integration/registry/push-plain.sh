#!/bin/bash
# Layers that lie here plain are packed on the way; --format and the compression options do what they say; it runs again when pulled.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-registry.sh"
need_image
start_registry
start --name c "$IMG" sh -c 'echo mine >/mine; sleep 100' >/dev/null
within 20 minke exec c test -e /mine
ok minke commit -q c made
ok minke rm -f -t 0 c
types() { curl -fsS -H 'Accept: application/vnd.oci.image.manifest.v1+json' -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' \
  "http://$R/v2/$1/manifests/latest" | jq -r '[.mediaType, .layers[].mediaType] | unique | join(" ")'; }
ok minke push -q --tls-verify=false made "$R/made"
assert_eq 'application/vnd.oci.image.layer.v1.tar+gzip application/vnd.oci.image.manifest.v1+json' "$(types made)"
ok minke push -q --tls-verify=false --format v2s2 made "$R/docker"
assert_eq 'application/vnd.docker.distribution.manifest.v2+json application/vnd.docker.image.rootfs.diff.tar.gzip' "$(types docker)"
ok minke push -q --tls-verify=false --compression-format zstd made "$R/zstd"
assert_eq 'application/vnd.oci.image.layer.v1.tar+zstd application/vnd.oci.image.manifest.v1+json' "$(types zstd)"
# twice the same bytes
n=$(registry_log | grep -c '^PATCH')
ok minke push -q --tls-verify=false made "$R/made"
assert_eq "$n" "$(registry_log | grep -c '^PATCH')" 'blobs sent again'
id=$(minke images -q --no-trunc made)
for name in made docker zstd; do
  ok minke rmi -af
  ok minke run --rm --network none --tls-verify=false "$R/$name" cat /mine
  assert_eq mine "$out" "$name"
  assert_eq "$id" "$(minke images -q --no-trunc "$R/$name")" "id of $name"
  ok minke system check -q
done
assert_error 125 'v2s2 knows no zstd' minke push -q --tls-verify=false --format v2s2 --compression-format zstd "$R/zstd" "$R/x"
assert_error 125 'zstd:chunked' minke push -q --tls-verify=false --compression-format zstd:chunked "$R/zstd" "$R/x"
assert_eq '' "$(ls r/staging)" 'staging'
