#!/bin/bash
# WORKDIR makes its folder, relative to the one before, owned by the user; one that is there makes no layer.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
build -t made <<'E'
FROM localhost/busybox
WORKDIR /a
WORKDIR b/c
RUN pwd >/pwd
USER 12:34
WORKDIR /owned/deep
USER root
RUN pwd >>/pwd
WORKDIR /tmp
E
ok run made cat /pwd
assert_eq $'/a/b/c\n/owned/deep' "$out"
assert_eq /tmp "$(config made .WorkingDir)"
is_podman && exit 0
ok run made stat -c '%n %a %u:%g' /a/b /owned /owned/deep
assert_eq $'/a/b 755 0:0\n/owned 755 12:34\n/owned/deep 755 12:34' "$out"
