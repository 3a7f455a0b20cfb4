#!/bin/bash
# FROM scratch: nothing but what is put there.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
build -t made <<'E'
FROM scratch
RUN --mount=from=localhost/busybox,source=/bin,target=/bin ["/bin/busybox", "mkdir", "/made"]
WORKDIR /w
ENV A=1
E
ok minke save --format oci-archive -q -o made.tar made
mkdir made && tar -C made -xf made.tar
manifest=$(jq -r '.manifests[0].digest' made/index.json)
for layer in $(jq -r '.layers[].digest' "made/blobs/sha256/${manifest#*:}"); do tar -tf "made/blobs/sha256/${layer#*:}"; done >list
assert_eq 'made/ w/' "$(sort list | xargs)"
