#!/bin/bash
# A name belongs to one container; its holder is named in the refusal.
. "$(dirname "$0")/../../lib.sh"
need_image
id=$(minke create --name taken "$IMG" true)

expect_exit 125 minke create --name taken "$IMG" true
assert_match 'taken' "$err"
assert_match "${id:0:12}" "$err"
expect_exit 125 minke create --name 'not/allowed' "$IMG" true
ok minke create --replace --name taken "$IMG" true
[ "$out" != "$id" ] || fail 'it is the old one'
