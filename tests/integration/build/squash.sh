#!/bin/bash
# --squash and --layers=false make one layer of all that a build does, --squash-all one of everything; the files are the same.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
file() { printf 'FROM localhost/busybox\nRUN echo one >/one; echo gone >/gone\nENV A=1\nRUN rm /gone /etc/group; echo two >/two\nWORKDIR /w\n'; }
layers() { minke image inspect "$1" | jq '.[0].RootFS.Layers | length'; }
base=$(layers "$IMG")
file | build -t plain
file | build --squash -t squashed
file | build --layers=false -t unlayered
file | build --squash-all -t flat
assert_eq $((base + 1)) "$(layers squashed)"
assert_eq $((base + 1)) "$(layers unlayered)"
assert_eq 1 "$(layers flat)"
want=$(tree plain)
for name in squashed unlayered flat; do
  assert_eq "$want" "$(tree $name)" "$name"
  assert_eq /w "$(config $name .WorkingDir)"
done
