#!/bin/bash
# debug plan prints record, spec and steps of a container, and makes nothing.
. "$(dirname "$0")/../../lib.sh"
need_image

find "$T/r" "$T/u" -mindepth 1 | sort >"$T/before"
ok minke debug plan --name c --network none -v v:/data --read-only -e A=b --cap-drop all "$IMG" echo hello
assert_eq "$IMG echo" "$(field "$out" '"\(.config.imageName) \(.config.command[0])"')"
assert_eq '["A=b"] true' "$(field "$out" '"\(.spec.process.env|map(select(.=="A=b"))) \(.spec.root.readonly)"')"
assert_eq '' "$(field "$out" '.spec.process.capabilities.bounding[]?')"
[ "$(field "$out" '.steps|length')" -gt 20 ] || fail 'too few steps'
field "$out" '.steps[]' | grep -q ' on /data' || fail 'no step for the volume'
find "$T/r" "$T/u" -mindepth 1 | sort | diff "$T/before" - || fail 'something was made'
assert_error 125 'image not known' minke debug plan nope
