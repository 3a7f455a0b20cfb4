#!/bin/bash
# Several builds of the same file at once: each gets its image, and nothing is left.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
mkdir ctx
printf 'FROM localhost/busybox\nRUN head -c 100000 /dev/urandom >/x\nRUN --mount=type=cache,target=/c,sharing=locked echo x >>/c/x; cat /x >/y\nWORKDIR /w\n' >C
for i in 1 2 3 4; do
  minke build -q --network none -t "made:$i" -f C ctx >"o$i" 2>&1 &
done
wait
cat o? >&2
for i in 1 2 3 4; do
  ok run "made:$i" cmp /x /y
done
nothing_staged
