#!/bin/bash
# --policy: never asks nobody, missing only for what is not there, newer takes what the registry has changed and is content without it.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-registry.sh"
start_registry
layered_image first 1
layered_image second 1
push() { ok skopeo copy -q --dest-tls-verify=false "oci:$T/$1" "docker://$R/team/app:1"; }
pull() { minke pull -q --tls-verify=false --retry 0 --policy "$1" "$R/team/app:1"; }
id_of() { jq -r .config.digest "$1/blobs/sha256/$(jq -r '.manifests[0].digest' "$1/index.json" | cut -d: -f2)" | cut -d: -f2; }
asked() { registry_log | grep -c '/manifests/' || true; }
push first

expect_exit 125 pull never
assert_match 'image not known' "$err"
assert_eq 0 "$(registry_log | grep -c 'GET .*/manifests/' || true)"
ok pull newer
assert_eq "$(id_of first)" "$out"
before=$(asked)
ok pull missing
ok pull never
assert_eq "$before" "$(asked)" 'requests of missing and never'
ok pull newer
assert_eq "$(id_of first)" "$out"
[ "$(asked)" -gt "$before" ]

push second
ok pull missing
assert_eq "$(id_of first)" "$out"
ok pull newer
assert_eq "$(id_of second)" "$out"
assert_eq 1 "$(minke images --filter dangling=true -q | wc -l)" 'the one before has no name'
push first
ok pull always
assert_eq "$(id_of first)" "$out"

# The registry is silent: an error of always, and none of newer.
stop_registry
ok pull newer
assert_eq "$(id_of first)" "$out"
expect_exit 125 pull always
assert_match 'connection refused' "$err"
expect_exit 125 minke pull --policy sometimes "$R/team/app:1"
assert_match 'unsupported pull policy "sometimes"' "$err"
