#!/bin/bash
# --cache-to keeps each step in a repository, --cache-from takes those that a build needs from there on another machine.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'other tags'
need_image
. "$(dirname "$0")/../../lib-registry.sh"
start_registry r1 tls auth
login=(--cert-dir "$CERTS" --creds "$REG_USER:$REG_PASS")
mkdir ctx
echo 1 >ctx/late
cat >C <<'E'
FROM localhost/busybox AS from
WORKDIR /w
RUN head -c 1000 /dev/urandom >/w/random
FROM localhost/busybox
COPY --from=from /w/random /random
RUN cat /random >/again
COPY late /late
E
elsewhere() { minke rmi -fa >/dev/null 2>&1; ok minke builder prune -fa; need_image; }
layers() { minke image inspect --format '{{.RootFS.Layers}}' "$1"; }
for place in "$R/plain" "type=registry,ref=$R/tagged:main"; do
  elsewhere
  ok minke build -q --network none "${login[@]}" --cache-to "$place" -t made -f C ctx
  made=$(layers made)
  images=$(minke images -aq | wc -l)
  elsewhere
  ok minke build --network none "${login[@]}" --cache-from "$place" -t made -f C ctx
  assert_eq 5 "$(grep -c CACHED <<<"$err")" "$err"
  assert_eq "$made" "$(layers made)"
  assert_eq "$images" "$(minke images -aq | wc -l)"
  ok run made cmp /random /again
  # what changed late runs, the rest does not
  elsewhere
  echo "$place" >ctx/late
  ok minke build --network none "${login[@]}" --cache-from "$place" --cache-to "$place" -t made -f C ctx
  assert_eq 4 "$(grep -c CACHED <<<"$err")" "$err"
  elsewhere
  ok minke build --network none "${login[@]}" --cache-from "$place" -t made -f C ctx
  assert_eq 5 "$(grep -c CACHED <<<"$err")" "$err"
done
tags=$T/reg-r1/data/docker/registry/v2/repositories
assert_match '^main-[0-9a-f]{64}$' "$(basename "$(find "$tags/tagged/_manifests/tags" -mindepth 1 -maxdepth 1 | head -n 1)")"
# a place that lies, that is not there, or that lets nobody in is told, and the steps run
elsewhere
ok minke build --network none --cert-dir "$CERTS" --retry 0 --cache-from "$R/plain" -f C ctx
assert_match "cache-from $R/plain: .*(unauthorized|authentication)" "$err"
elsewhere
find "$T/reg-r1/data/docker/registry/v2/blobs" -name data -size -64k -exec sh -c 'head -c 20 "$1" | grep -q schemaVersion || exit 0; sed -i s/0/1/ "$1"' _ {} \;
ok minke build --network none "${login[@]}" --retry 0 --cache-from "$R/plain" -t made -f C ctx
assert_match "cache-from $R/plain: " "$err"
ok run made cmp /random /again
stop_registry r1
assert_error 125 "cache-to $R/plain" minke build --no-cache --network none --retry 0 --cache-to "$R/plain" -f C ctx
ok minke build --no-cache --network none --retry 0 --cache-to "type=registry,ref=$R/plain,ignore-error=true" -f C ctx
# words that are wrong are told before anything runs
assert_error 125 'must contain neither a tag nor digest' minke build --cache-from "$R/plain:tag" -f C ctx
assert_error 125 'type "gha" is not supported' minke build --cache-to type=gha -f C ctx
assert_error 125 'layers=false keeps none' minke build --layers=false --cache-to "$R/plain" -f C ctx
ok minke system check
nothing_staged
