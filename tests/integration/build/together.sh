#!/bin/bash
# Independent stages are built at the same time: each of these waits for the other.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'its stages come one after the other'
need_image
mkdir shared
build --jobs 2 -v "$T/shared:/shared" -t made <<'E'
FROM localhost/busybox AS a
RUN touch /shared/a; i=0; until [ -e /shared/b ]; do i=$((i+1)); [ $i -lt 600 ]; sleep 0.1; done; echo a >/a
FROM localhost/busybox AS b
RUN touch /shared/b; i=0; until [ -e /shared/a ]; do i=$((i+1)); [ $i -lt 600 ]; sleep 0.1; done; echo b >/b
FROM localhost/busybox
RUN --mount=from=a,target=/from-a --mount=from=b,target=/from-b cat /from-a/a /from-b/b >/both
E
ok run made cat /both
assert_eq $'a\nb' "$out"
