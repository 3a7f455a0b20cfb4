#!/bin/bash
# The base of cached steps may be removed: its layers stay as long as a step stands on them.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'it keeps images of steps'
need_image
build -t made <<'E'
FROM localhost/busybox
RUN echo one >/one
E
ok minke rmi made "$IMG"
need_image
build -t again <<'E'
FROM localhost/busybox
RUN echo one >/one
E
assert_match CACHED "$(cat build.err)"
ok run again cat /one
ok minke system check
