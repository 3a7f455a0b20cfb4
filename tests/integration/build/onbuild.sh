#!/bin/bash
# ONBUILD of the base runs first in the build that stands on it, once.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
build -t localhost/base <<'E'
FROM localhost/busybox
ONBUILD RUN echo triggered >>/log
ONBUILD ENV T=1
E
build -t localhost/made <<'E'
FROM localhost/base
RUN echo "own $T" >>/log
E
ok run made cat /log
assert_eq $'triggered\nown 1' "$out"
assert_eq null "$(config made .OnBuild)"
