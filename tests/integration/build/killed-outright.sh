#!/bin/bash
# kill -9 of a build ends the container of its step; nothing of it is left.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
mkdir ctx
printf 'FROM localhost/busybox\nRUN echo one >/one\nRUN echo started; sleep 1000\n' >C
background build --network none -f C ctx >o 2>&1
within 30 grep -q '^#.* started' o
is_podman || within 20 eval '[ "$(minke ps -q --external | wc -l)" = 1 ]'
assert_eq '' "$(minke ps -q)" 'containers that ps shows'
kill -9 "$client"
wait "$client" || true
within 30 eval '[ -z "$(minke ps -aq --external)" ]'
printf 'FROM localhost/busybox\nRUN echo one >/one\nRUN echo now\n' >C
ok minke build --network none -f C ctx
assert_match 'CACHED' "$err"
nothing_staged
