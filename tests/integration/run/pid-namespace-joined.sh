#!/bin/bash
# --pid container:NAME joins another container's namespace.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name one "$IMG" sleep 654 >/dev/null

ok run --pid container:one "$IMG" ps -o pid,args
assert_match 'sleep 654' "$out"
expect_exit 125 run --pid container:no-such "$IMG" true
