#!/bin/bash
# Under the name docker a missing source of -v is made, as Docker does; under its own, as Podman, it is an error. --mount never makes one.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'it has no such name'
need_image
ln -s "$(readlink -f "$MINKE")" docker

ok ./docker "${engine_options[@]}" run --rm --network none -v "$T/new/dir:/d" "$IMG" touch /d/f
[ -e new/dir/f ] || fail 'the folder was not made'
expect_exit 125 ./docker "${engine_options[@]}" run --rm --network none --mount "type=bind,source=$T/no-such,destination=/d" "$IMG" true
[ ! -e no-such ] || fail '--mount has made it'
assert_error 125 'no-such' run -v "$T/no-such:/d" "$IMG" true
[ ! -e no-such ] || fail 'made under the own name'
