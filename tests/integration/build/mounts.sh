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
