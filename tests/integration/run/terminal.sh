#!/bin/bash
# With -t the command has a terminal on all three descriptors, of the size asked for.
. "$(dirname "$0")/../../lib.sh"
need_image

ok run -t "$IMG" sh -c 'test -t 0 && test -t 1 && test -t 2 && tty && echo "$TERM"'
assert_match '/dev/(pts/0|console)' "$out"
assert_match 'xterm' "$out"
ok run "$IMG" sh -c 'test -t 1 || echo none'
assert_eq none "$out"
