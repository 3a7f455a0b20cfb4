#!/bin/bash
# Under the name podman it is the same program.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'it is'
need_image
ln -s "$(readlink -f "$MINKE")" podman

ok ./podman "${engine_options[@]}" run --rm --network none "$IMG" echo hi
assert_eq hi "$out"
