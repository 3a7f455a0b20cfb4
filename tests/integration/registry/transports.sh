#!/bin/bash
# The places that are no registry: what push writes, pull reads, and skopeo too; containers-storage is refused by name.
. "$(dirname "$0")/../../lib.sh"
need_program skopeo
need_image
id=$(minke images -q --no-trunc "$IMG")
for place in "oci:$T/layout:box" "oci-archive:$T/o.tar:box" "docker-archive:$T/d.tar:box:1" dir:boxdir; do
  ok minke push -q "$IMG" "$place"
  ok skopeo --tmpdir "$T" inspect "$place"
  ok minke rmi -af
  ok minke pull -q "$place"
  assert_eq "${id#sha256:}" "$out" "id by $place"
  ok minke tag "$out" "$IMG"
  ok run "$IMG" echo works
  assert_eq works "$out"
done
# images that are in a layout stay; one of the same name gives way; an archive is not changed
for name in a b a; do ok minke push -q "$IMG" "oci:$T/two:$name"; done
assert_eq 'a b' "$(jq -r '[.manifests[].annotations["org.opencontainers.image.ref.name"]] | sort | join(" ")' two/index.json)"
ok skopeo --tmpdir "$T" inspect "oci:$T/two:b"
assert_eq '' "$(find two boxdir -name '*.tmp')" 'half made'
sum=$(sha256sum <d.tar)
assert_error 125 "docker-archive doesn't support modifying existing images" minke push -q "$IMG" "docker-archive:$T/d.tar:box:2"
assert_eq "$sum" "$(sha256sum <d.tar)" 'the archive'
ok minke images --format '{{.Repository}}'
assert_match localhost/boxdir "$out" "name after the path"
assert_error 125 'no image of the name "other"' minke pull "oci:$T/layout:other"
assert_error 125 'transport "containers-storage" is not supported' minke pull containers-storage:box
assert_error 125 'transport "docker-daemon" is not supported' minke push "$IMG" docker-daemon:box
assert_error 125 'No such file' minke pull "oci:$T/nothing"
