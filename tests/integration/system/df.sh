#!/bin/bash
# system df: sizes of images (shared layers once), containers and volumes; -v, --format, JSON.
. "$(dirname "$0")/../../lib.sh"
need_image

mkdir "$T/l"; head -c 5000 /dev/zero >"$T/l/f"
busybox_image "$T/i.tar" localhost/child:1 '{}' "$T/l"
ok minke load -q -i "$T/i.tar"
busybox_image "$T/j.tar" localhost/child:2 '{"Labels":{"a":"b"}}' "$T/l"
ok minke load -q -i "$T/j.tar"
ok minke system df
assert_match $'^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE\nImages +3 +0 +.*\\(100%\\)\nContainers +0 +0 +0B +0B \\(0%\\)\nLocal Volumes +0 +0 +0B +0B \\(0%\\)$' "$out"
ok minke run --name c --network none -v v:/d localhost/child:1 sh -c 'head -c 3000 /dev/zero >/z; head -c 700 /dev/zero >/d/y'
ok minke volume create w
ok minke system df --format json
assert_eq '3 1' "$(field "$out" '.[0]|"\(.Total) \(.Active)"')"
assert_eq '1 0 3000 3000' "$(field "$out" '.[1]|"\(.Total) \(.Active) \(.RawSize) \(.RawReclaimable)"')"
assert_eq '2 1 700 0' "$(field "$out" '.[2]|"\(.Total) \(.Active) \(.RawSize) \(.RawReclaimable)"')"
total=$(field "$out" '.[0].RawSize')
sum=$(minke images --format json | jq '[.[].Size]|add')
[ "$total" -lt "$sum" ] || fail "shared layers counted twice: $total of $sum"
ok minke system df --format '{{.Type}}: {{.Size}}'
assert_match 'Containers: 3kB' "$out"
ok minke system df -v
assert_match 'REPOSITORY +TAG +IMAGE ID +CREATED +SIZE +SHARED SIZE +UNIQUE SIZE +CONTAINERS' "$out"
assert_match 'localhost/child +1 ' "$out"
assert_match $'\nv +1 +700B' "$out"
assert_error 125 'cannot combine' minke system df -v --format json
