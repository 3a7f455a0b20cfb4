#!/bin/bash
# RUN --mount: a stage's files, writable for the step alone; a cache that stays; a tmpfs; nothing of them is in the layer.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
file() { cat <<E
FROM localhost/busybox AS from
RUN mkdir -p /out/sub && echo $1 >/out/sub/file && ln -s sub /out/link
RUN echo more >/out/sub/more
FROM localhost/busybox
RUN --mount=type=bind,from=from,source=/out/link,target=/in cat /in/file /in/more >/copied && ! touch /in/x
RUN --mount=type=bind,from=from,source=/out,target=/in,rw echo changed >/in/sub/file && cat /in/sub/file >/changed
RUN --mount=type=bind,from=from,source=/out/sub/file,target=/one cat /one >/single
RUN --mount=type=cache,id=kept,target=/cache echo $1 >>/cache/lines && cat /cache/lines >/lines
RUN --mount=type=tmpfs,target=/t,size=1m df /t | tail -n 1 >/size && touch /t/x
E
}
file first | build -t made
file second | build -t made
ok run made cat /copied /changed /single /lines
assert_eq $'second\nmore\nchanged\nsecond\nfirst\nsecond' "$out"
ok run made sh -c 'grep -q 1024 /size; ls -d /in /one /cache /t 2>&1 || true'
assert_no_match '^/' "$out"
is_podman && exit 0
# what a mount allows is a part of what the step depends on
echo word >secret
for mode in 0400 0444 0400; do
  build --secret id=s,src=secret -t made <<E
FROM localhost/busybox
USER 1000
RUN --mount=type=secret,id=s,mode=$mode,target=/s cat /s >/tmp/seen 2>/dev/null || echo refused >/tmp/seen
E
  [ $mode = 0444 ] && want=word || want=refused
  ok run made cat /tmp/seen
  assert_eq $want "$out" "mode $mode"
done
# killed while a cache mount is filled: it begins anew, and nothing of it is left
cat >C <<'E'
FROM localhost/busybox AS from
RUN mkdir /out && echo kept >/out/file
FROM localhost/busybox
RUN --mount=type=cache,id=filled,from=from,source=/out,target=/cache cat /cache/file >/copied
E
expect_exit 125 env MINKE_FAILPOINT=build.cache-mount:1 "$MINKE" "${engine_options[@]}" build --network none -f C empty
assert_match 'ended early' "$err"
ok minke build --network none -t made -f C empty
ok run made cat /copied
assert_eq kept "$out"
assert_eq $'data\ndata' "$(ls r/buildcache/mounts/* | grep -v : | grep .)" 'what is in cache mounts'
nothing_staged
