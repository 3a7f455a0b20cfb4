#!/bin/bash
# ps --format: fields, table, json, and template functions.
. "$(dirname "$0")/../../lib.sh"
need_image
id=$(start --name one --label k=v "$IMG" sleep 100)

ok minke ps --format '{{.ID}} {{.Names}} {{.Image}}'
assert_eq "${id:0:12} one localhost/busybox:latest" "$out"
ok minke ps --format 'table {{.Names}}\t{{.Image}}'
assert_match $'^NAMES +IMAGE\none +localhost/busybox:latest' "$out"
ok minke ps --format json
assert_eq "$id one running v" "$(field "$out" '.[0] | "\(.Id) \(.Names[0]) \(.State) \(.Labels.k)"')"
ok minke ps --format '{{.Names | upper}} {{len .ID}} {{if eq .Image "localhost/busybox:latest"}}yes{{else}}no{{end}}'
assert_eq 'ONE 12 yes' "$out"
expect_exit 125 minke ps --format '{{.NoSuchField}}'
