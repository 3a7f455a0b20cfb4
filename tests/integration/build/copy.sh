#!/bin/bash
# COPY from the context and from a stage; a change of a file's content, not of its time, runs the step again.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
mkdir -p ctx/dir
echo one >ctx/dir/one
echo top >ctx/top
cat >ctx/Containerfile <<'E'
FROM localhost/busybox AS from
WORKDIR /made
COPY dir/ sub/
RUN echo built >built
FROM localhost/busybox
COPY --chown=12:34 --chmod=640 top /etc/top
COPY --from=from /made /copied
RUN cat /etc/top /copied/built /copied/sub/one >/all
E
ok minke build --network none -t made ctx
ok run made sh -c 'cat /all; stat -c "%a %u:%g" /etc/top'
assert_eq $'top\nbuilt\none\n640 12:34' "$out"
is_podman && exit 0
touch -d '2001-01-01' ctx/top ctx/dir/one
ok minke build --network none -t made ctx
assert_eq 6 "$(grep -c CACHED <<<"$err")"
echo changed >ctx/top
ok minke build --network none -t made ctx
assert_eq 3 "$(grep -c CACHED <<<"$err")"
ok run made cat /all
assert_match '^changed' "$out"
nothing_staged
