#!/bin/bash
# Stages: one that stands on another, one that is not needed, the one that is asked for.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
file() { cat <<'E'
FROM localhost/busybox AS base
RUN echo base >/base
FROM localhost/busybox AS unused
RUN exit 1
FROM base AS middle
RUN echo middle >/middle
ENV M=1
FROM middle
RUN echo last >/last; test "$M" = 1
E
}
file | build -t made
ok run made cat /base /middle /last
assert_eq $'base\nmiddle\nlast' "$out"
file | build --target middle -t part
expect_exit 1 run part cat /last
ok run part cat /middle
file >C
mkdir ctx
expect_exit 1 minke build --network none -f C --target unused ctx
assert_error 125 'nosuch' minke build --network none -f C --target nosuch ctx
