#!/bin/bash
# The layer of a RUN holds what it changed and nothing else: no places of mounts, no files of the engine; times are kept.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
build -t made <<'E'
FROM localhost/busybox
RUN --mount=type=tmpfs,target=/scratch/deep --mount=type=cache,target=/var/lib/cached \
    echo x >/made && touch -d '2001-02-03 04:05:06' /made && rm /etc/group && echo y >/scratch/deep/y && echo z >/var/lib/cached/z
E
ok minke save --format oci-archive -q -o made.tar made
mkdir made && tar -C made -xf made.tar
manifest=$(jq -r '.manifests[0].digest' made/index.json)
layer=$(jq -r '.layers[-1].digest' "made/blobs/sha256/${manifest#*:}")
assert_eq 'etc etc/.wh.group made' "$(tar -tf "made/blobs/sha256/${layer#*:}" | sed 's|/$||' | sort | xargs)"
assert_match '2001-02-03 04:05' "$(TZ=UTC tar -tvf "made/blobs/sha256/${layer#*:}" made)"
ok run made sh -c 'cat /made; ls /scratch /var/lib/cached 2>&1 || true'
assert_match $'^x\n' "$out"
nothing_staged
