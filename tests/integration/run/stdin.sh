#!/bin/bash
# With -i standard input reaches the command; without it the command sees an empty one.
. "$(dirname "$0")/../../lib.sh"
need_image

assert_eq hello "$(echo hello | run -i "$IMG" cat)"
assert_eq '' "$(echo hello | run "$IMG" cat)"
# all of it, and the end of it
assert_eq 3000000 "$(head -c 3000000 /dev/zero | run -i "$IMG" wc -c)"
