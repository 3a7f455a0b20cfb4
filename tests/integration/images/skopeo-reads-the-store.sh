#!/bin/bash
# The image store is an OCI layout that other tools read.
# needs: root
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'another store'
need_program skopeo
need_image
ok skopeo inspect --config "oci:$T/r/images:$IMG"
assert_eq "$(minke image inspect --format '{{json .RootFS.Layers}}' "$IMG")" "$(jq -c '.rootfs.diff_ids' <<<"$out")" layers
ok skopeo copy -q "oci:$T/r/images:$IMG" "oci-archive:$T/copy.tar:localhost/copied:1"
id=$(minke image inspect --format '{{.Id}}' "$IMG")
ok minke load -q -i copy.tar
assert_eq "$id" "$(minke image inspect --format '{{.Id}}' localhost/copied:1)" id
