#!/bin/bash
# Saved twice, the archive is the same to the byte; oci-dir is an OCI layout.
. "$(dirname "$0")/../../lib.sh"
need_image

ok minke save -q -o one.tar "$IMG"
ok minke save -q -o two.tar "$IMG"
cmp one.tar two.tar
ok minke save -q --format oci-dir -o dir "$IMG"
assert_eq 1.0.0 "$(jq -r .imageLayoutVersion dir/oci-layout)"
digest=$(jq -r '.manifests[0].digest' dir/index.json)
assert_eq "${digest#sha256:}" "$(sha256sum "dir/blobs/sha256/${digest#sha256:}" | cut -d' ' -f1)"
