#!/bin/bash
# /run/.containerenv is there, and says in which container we are when privileged.
. "$(dirname "$0")/../../lib.sh"
need_image

ok run "$IMG" test -e /run/.containerenv
ok run --name known --privileged "$IMG" cat /run/.containerenv
assert_match 'name="known"' "$out"
