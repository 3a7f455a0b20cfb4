#!/bin/bash
# Options end at the image: what follows belongs to the command.
. "$(dirname "$0")/../../lib.sh"
need_image

ok run "$IMG" echo --rm -it --help
assert_eq '--rm -it --help' "$out"
ok run --rm=true --tty=false "$IMG" echo -n x
assert_eq x "$out"
