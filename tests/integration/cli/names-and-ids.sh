#!/bin/bash
# A container is found by name, by id, by the start of the id when only one has it.
. "$(dirname "$0")/../../lib.sh"
need_image
id=$(minke create --name c "$IMG" true)

for ref in c "$id" "${id:0:12}" "${id:0:4}"; do
  assert_eq "$id" "$(minke inspect --format '{{.Id}}' "$ref")"
done
expect_exit 1 minke container exists cc
ok minke container exists c
ok minke ps -a --format '{{.Names}}'
assert_eq c "$out"
ok minke create "$IMG" true
assert_match '^[a-z]+_[a-z]+$' "$(minke inspect --format '{{.Name}}' "$out")"
