#!/bin/bash
# --cache-to keeps the steps of every stage in a folder, --cache-from takes them from there on another machine.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'registries alone'
need_image
mkdir ctx
cat >C <<'E'
FROM localhost/busybox AS from
WORKDIR /w
RUN head -c 1000 /dev/urandom >/w/random
FROM localhost/busybox
COPY --from=from /w/random /random
RUN cat /random >/again
E
ok minke build -q --network none --cache-to type=local,dest=kept -t made -f C ctx
# what a killed build has left there goes with the next
mkdir -p kept/stage-0.new-0123456789ab/blobs kept/mine.new-0
ok minke build -q --network none --cache-to type=local,dest=kept -t made -f C ctx
assert_eq ./mine.new-0 "$(cd kept && printf '%s\n' ./*.new-*)"
made=$(minke image inspect --format '{{.RootFS.Layers}}' made)
images=$(minke images -aq | wc -l)
minke rmi -fa >/dev/null 2>&1
ok minke builder prune -fa
need_image
ok minke build --network none --cache-from type=local,src=kept -t made -f C ctx
assert_eq 4 "$(grep -c CACHED <<<"$err")"
assert_eq "$made" "$(minke image inspect --format '{{.RootFS.Layers}}' made)"
assert_eq "$images" "$(minke images -aq | wc -l)"
# a place that has nothing, or nonsense, is a note and no more
ok minke build --no-cache --network none --cache-from type=local,src=nosuch -f C ctx
find kept -name index.json -exec sh -c 'echo x >"$1"' _ {} \;
ok minke build --network none --cache-from type=local,src=kept -f C ctx
assert_match 'steps of stage 0 in type=local,src=kept' "$err"
assert_error 125 'dest is missing' minke build --cache-to type=local -f C ctx
ok minke system check
nothing_staged
