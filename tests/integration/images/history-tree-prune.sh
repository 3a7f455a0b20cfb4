#!/bin/bash
# history, image tree and image prune.
. "$(dirname "$0")/../../lib.sh"
need_image
minke create --name c --network none "$IMG" true >/dev/null
ok minke commit -q c one
id=$out
ok minke history --no-trunc -q one
assert_eq "$id" "${out%%$'\n'*}"
ok minke history one
assert_match '^ID +CREATED +CREATED BY +SIZE +COMMENT' "$out"
assert_match 'FROM localhost/busybox:latest' "$out"
ok minke history --format json one
assert_eq "$id /bin/sh 3" "$(jq -r '"\(.[0].id) \(.[0].CreatedBy) \(length)"' <<<"$out")"
ok minke history --format '{{.ID}} {{.CreatedBy}}' one
assert_eq "${id:0:12} /bin/sh" "${out%%$'\n'*}"
assert_match '^(tests/images\|false;)+/bin/sh\|false;' "$(minke image inspect -f '{{range .History}}{{.CreatedBy}}|{{.EmptyLayer}};{{end}}' one)"
assert_match '^20[0-9-]+ [0-9:.]+ \+0000 UTC$' "$(minke image inspect -f '{{(index .History 1).Created}}' one)"
ok minke image tree one
assert_match $'Image Layers\n├── ID: ' "$out"
assert_match 'Top Layer of: \[localhost/one:latest\]$' "$out"
ok minke image tree --whatrequires "$IMG"
assert_match 'Top Layer of: \[localhost/one:latest\]' "$out"
ok minke commit -q -c 'LABEL k=v' c one
assert_eq 3 "$(minke images -q | wc -l)"
expect_exit 125 minke image prune
assert_match 'WARNING! This command removes all dangling images' "$out"
ok minke image prune -f --filter label=k=v
assert_eq '' "$out"
ok minke image prune -f
assert_eq "$id" "$out"
assert_error 125 'unsupported image filter "foo"' minke image prune -f --filter foo=bar
echo n | minke image prune -a >/dev/null
ok minke image exists one
echo y | minke image prune -a >/dev/null
expect_exit 1 minke image exists one
ok minke image exists "$IMG"
assert_error 125 'nosuch: image not known' minke history nosuch
