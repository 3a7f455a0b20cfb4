#!/bin/bash
# inspect finds containers, images and volumes, in this order; --type asks for one kind.
. "$(dirname "$0")/../../lib.sh"
need_image
id=$(minke create --name c --network none "$IMG" true)
minke volume create v >/dev/null

ok minke inspect --format '{{.Id}}' c
assert_eq "$id" "$out"
ok minke inspect --format '{{.ID}} {{.Name}}' "${id:0:10}"
assert_eq "$id c" "$out"
ok minke inspect --format '{{.Name}} {{.Driver}}' v
assert_eq 'v local' "$out"
ok minke inspect --format '{{index .RepoTags 0}}' "$IMG"
assert_eq "$IMG" "$out"
ok minke inspect c "$IMG"
assert_match "^\\[" "$out"
assert_match "\"Id\": \"$id\"" "$out"
assert_match '"RepoTags"' "$out"
ok minke inspect -l --format '{{.Name}}'
assert_eq c "$out"

expect_exit 125 minke inspect c no-such
assert_match "\"Id\": \"$id\"" "$out"
assert_eq 'Error: inspecting object: no such object: "no-such"' "$err"
expect_exit 125 minke inspect --type image c
assert_eq '[]' "$out"
assert_match 'image not known' "$err"
expect_exit 125 minke container inspect "$IMG"
assert_match 'no such container' "$err"
assert_error 125 'invalid type' minke inspect --type odd c
assert_error 125 "can't evaluate field Nope" minke inspect --format '{{.Nope}}' c
