#!/bin/bash
# COPY --from counts by what it copies: a stage that ran again and made the same files runs nothing after it.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'other words'
need_image
file() { cat <<'E'
FROM localhost/busybox AS from
ARG X
RUN echo same >/same; echo "$X" >/other
FROM localhost/busybox
COPY --from=from /same /same
RUN cat /same >/after
E
}
file | build --build-arg X=1
file | build --build-arg X=1
assert_eq 3 "$(grep -c CACHED build.err)"
file | build --build-arg X=2
assert_eq 2 "$(grep -c CACHED build.err)"
file | build --build-arg X=2
assert_eq 3 "$(grep -c CACHED build.err)"
