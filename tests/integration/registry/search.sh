#!/bin/bash
# search lists names of a registry's catalogue, and with --list-tags the tags of one.
. "$(dirname "$0")/../../lib-badregistry.sh"
bad_registry --user gordon:sesame --auth bearer
cat >"$T/registries.conf" <<CONF
unqualified-search-registries = ["$REG"]
[[registry]]
location = "$REG"
insecure = true
CONF
export CONTAINERS_REGISTRIES_CONF=$T/registries.conf
creds=(--creds gordon:sesame)

ok minke search "${creds[@]}" "$REG/good"
assert_match '^NAME  *DESCRIPTION' "$out"
assert_match "$REG/good/image" "$out"
assert_eq 3 "$(wc -l <<<"$out")"
ok minke search "${creds[@]}" --limit 1 --format '{{.Index}} {{.Name}}' good
assert_eq "$REG $REG/good/image" "$out"
ok minke search "${creds[@]}" --format json good/list
assert_eq "$REG/good/list" "$(field "$out" '.[0].Name')"
ok minke search "${creds[@]}" --filter is-official good
assert_eq '' "$out"
ok minke search "${creds[@]}" --compatible good
assert_match 'STARS  *OFFICIAL  *AUTOMATED' "$out"
ok minke search "${creds[@]}" nothinglikethat
assert_eq '' "$out"

ok minke search "${creds[@]}" --list-tags "$REG/good/image"
assert_match '^NAME  *TAG' "$out"
assert_eq 'latest v1 v2' "$(awk 'NR > 1 { print $2 }' <<<"$out" | xargs)"
ok minke search "${creds[@]}" --list-tags --format json "$REG/good/image"
assert_eq '["latest","v1","v2"]' "$(jq -c '.[0].Tags' <<<"$out")"

expect_exit 125 minke search "$REG/good"
assert_match "couldn't search registry \"$REG\": .*(unauthorized|invalid username)" "$err"
expect_exit 125 minke search "${creds[@]}" --list-tags "$REG/no/such"
expect_exit 125 minke search --filter foo=1 good
assert_match 'invalid filter type' "$err"
expect_exit 125 minke search --filter stars=x good
