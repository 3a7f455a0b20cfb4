#!/bin/bash
# --output: a folder, an archive; standard output.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
file() { printf 'FROM localhost/busybox AS b\nRUN mkdir /d && echo x >/d/f\n'; }
file | build -o "type=local,dest=$T/out"
assert_eq x "$(cat out/d/f)"
[ -x out/bin/busybox ]
file | build -o "type=tar,dest=$T/out.tar"
assert_eq x "$(tar -xOf out.tar ./d/f 2>/dev/null || tar -xOf out.tar d/f)"
file >C
mkdir ctx
minke build --network none -q -f C -o - ctx 2>err | tar -t >list
grep -qE '^(\./)?d/f$' list
