#!/bin/bash
# logs -f goes on until the container ends, and shows every line once.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c "$IMG" sh -c 'for i in 1 2 3 4 5 6; do echo l$i; sleep 0.4; done' >/dev/null

ok minke logs -f c
assert_eq $'l1\nl2\nl3\nl4\nl5\nl6' "$out"
