#!/bin/bash
# When the command ends, so do all the processes it left.
. "$(dirname "$0")/../../lib.sh"
need_image

ok run -v "$T:/out" "$IMG" sh -c '(trap "" TERM HUP; sleep 4321) & echo started'
assert_eq started "$out"
within 20 eval '! pgrep -f "^sleep 4321" >/dev/null'
