#!/bin/bash
# Contexts: a folder, archives by name and on standard input, a Containerfile there, named ones; files are looked for here and in the context.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'podman 4.3 takes no archives by name'
need_image
mkdir -p ctx/sub other
echo data >ctx/data
echo other >other/file
printf 'FROM localhost/busybox\nCOPY data /data\n' | tee ctx/Dockerfile >ctx/sub/Named
tar -C ctx -czf ctx.tgz .
ok minke build --network none -t one ctx
ok minke build --network none -t two ctx.tgz
minke build --network none -t three - <ctx.tgz >/dev/null 2>&1
ok minke build --network none -t four -f sub/Named ctx
minke build --network none -t five -f sub/Named - <ctx.tgz >/dev/null 2>&1
id=$(minke image inspect one | jq -r '.[0].RootFS.Layers[-1]')
for name in one two three four five; do
  ok run $name cat /data
  assert_eq data "$out" "$name"
done
[ -n "$id" ]
# Containerfile wins over Dockerfile; without either the folder is named
printf 'FROM localhost/busybox\nLABEL which=containerfile\n' >ctx/Containerfile
ok minke build --network none -t six ctx
assert_eq containerfile "$(minke image inspect six | jq -r '.[0].Config.Labels.which')"
assert_error 125 'no Containerfile or Dockerfile specified or found in context directory' minke build --network none other
# from standard input there is no context, unless one is named
printf 'FROM localhost/busybox\nCOPY data /d\n' >C
! minke build --network none - <C >/dev/null 2>err || exit 1
assert_match 'no build context' "$(cat err)"
minke build --network none -t seven -f - ctx <C >/dev/null 2>&1
! minke build --network none - </dev/null >/dev/null 2>err || exit 1
assert_match 'standard input is empty' "$(cat err)"
# named contexts, which win over stages and images of their name
printf 'FROM scratch AS extra\nCOPY nothing /\nFROM localhost/busybox\nCOPY --from=extra file /file\nRUN --mount=from=extra,target=/m cat /m/file >/mounted\n' >C
ok minke build --network none -t eight -f C --build-context extra=other ctx
ok run eight cat /file /mounted
assert_eq $'other\nother' "$out"
# one as the base
printf 'FROM root\nLABEL a=b\n' >C
ok minke build --network none -t nine -f C --build-context root=other ctx
assert_eq 1 "$(minke image inspect nine | jq '.[0].RootFS.Layers | length')"
printf 'FROM localhost/busybox\nCOPY --from=localhost/nine /file /file\n' >C
ok minke build --network none -t ten -f C ctx
ok run ten cat /file
assert_eq other "$out"
nothing_staged
