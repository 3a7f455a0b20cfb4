#!/bin/bash
# image prune with filters, and system df -v, over images that came from a registry and lists of them.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-registry.sh"
start_registry
for name in first second; do
  layered_image $name 2
  ok skopeo copy -q --dest-tls-verify=false "oci:$T/$name" "docker://$R/team/app:1"
  ok minke pull -q --tls-verify=false "$R/team/app:1"
done
ok minke manifest create list "$R/team/app:1"
list=$out
ok minke manifest create loose
ok minke untag loose
assert_eq 4 "$(minke images -aq | sort -u | wc -l)"

ok minke system df -v
assert_match "$R/team/app +1 " "$out"
assert_match 'localhost/list' "$out"
ok minke system df --format '{{.Type}} {{.Total}}'
assert_match 'Images 4' "$out"

# a filter that nothing meets, one that the untagged meet, and then all that no container uses
ok minke image prune -f --filter until=2000-01-01
assert_eq '' "$out"
assert_eq 4 "$(minke images -aq | sort -u | wc -l)"
ok minke image prune -f --filter label=nosuch
assert_eq 4 "$(minke images -aq | sort -u | wc -l)"
ok minke image prune -f
assert_eq 2 "$(wc -l <<<"$out")"
assert_eq 2 "$(minke images -aq | sort -u | wc -l)"
ok minke manifest exists list
ok minke image prune -af
assert_match "$list" "$out"
assert_eq '' "$(find r/images/blobs/sha256 r/layers -mindepth 1)" 'left behind'
