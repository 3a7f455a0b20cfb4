#!/bin/bash
# Variables: scopes of ARG, who wins over whom, the platform's, proxies, all substitutions, what is expanded and what is left to the shell.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
labels() { minke image inspect "$1" | jq -c '.[0].Config.Labels | del(.["io.buildah.version"])'; }
build -t made --build-arg GIVEN=flag --build-arg ENVWINS=flag <<'E'
ARG BASE=busybox
ARG GLOBAL=global
ARG GIVEN=default
FROM localhost/$BASE AS first
ARG GLOBAL
ARG GIVEN
ARG LOCAL=local
ARG ENVWINS=arg
ENV ENVWINS=env
ENV A=1 B=$A.2
LABEL global=$GLOBAL given=$GIVEN local=${LOCAL} envwins=$ENVWINS b=$B unset=$UNSET single='$LOCAL' escaped=\$LOCAL
RUN echo "$GLOBAL $GIVEN $LOCAL $ENVWINS" >/seen
FROM first
LABEL second=[$LOCAL$GLOBAL]
RUN echo "[$LOCAL$GLOBAL]" >>/seen
E
assert_eq '{"b":".2","envwins":"env","escaped":"$LOCAL","given":"flag","global":"global","local":"local","second":"[]","single":"$LOCAL","unset":""}' \
  "$(labels made | jq -cS .)"
ok run made cat /seen
assert_eq $'global flag local env\n[]' "$out"
is_podman && exit 0
build -t forms --build-arg http_proxy=http://p:1 <<'E'
ARG TARGETARCH
FROM localhost/busybox
ARG TARGETARCH
ARG TARGETPLATFORM
ARG V=1.2.3 EMPTY=
LABEL a=${V#*.} b=${V##*.} c=${V%.*} d=${V%%.*} e=${V/./-} f=${V//./-} g=${EMPTY:-x} h=${EMPTY-x} i=${V:+y} j=${UNSET+y} platform=$TARGETPLATFORM
EXPOSE ${V%%.*}00/UDP
RUN echo "$http_proxy $TARGETARCH" >/seen
E
arch=$(dpkg --print-architecture)
assert_eq "{\"a\":\"2.3\",\"b\":\"3\",\"c\":\"1.2\",\"d\":\"1\",\"e\":\"1-2.3\",\"f\":\"1-2-3\",\"g\":\"x\",\"h\":\"\",\"i\":\"y\",\"j\":\"\",\"platform\":\"linux/$arch\"}" "$(labels forms | jq -cS .)"
assert_eq '["100/udp"]' "$(config forms '.ExposedPorts | keys')"
ok run forms cat /seen
assert_eq "http://p:1 $arch" "$out"
printf 'FROM localhost/busybox\nARG X\nRUN echo "${X:?say X}"\nENV Y="${X:?say X}"\n' >C
mkdir ctx
expect_exit 2 minke build --network none -f C ctx
printf 'FROM localhost/busybox\nARG X\nENV Y="${X:?say X}"\n' >C
assert_error 125 "C:3: .*X: say X" minke build --network none -f C ctx
ok minke build --network none -f C --build-arg X=1 ctx
