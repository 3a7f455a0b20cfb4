#!/bin/bash
# A Containerfile, and a whole context, from standard input.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
printf 'FROM localhost/busybox\nRUN echo x >/x\n' | minke build -q --network none -t one - >/dev/null
ok run one cat /x
mkdir ctx
printf 'FROM localhost/busybox\nCOPY f /f\n' >ctx/Containerfile
echo content >ctx/f
tar -C ctx -czf ctx.tar.gz .
minke build -q --network none -t two - <ctx.tar.gz >/dev/null
ok run two cat /f
assert_eq content "$out"
nothing_staged
