#!/bin/bash
# images: columns, -n, -q, --digests, --no-trunc, --history, -a, --sort, and every filter.
. "$(dirname "$0")/../../lib.sh"
need_image
mkdir l
head -c 3000000 /dev/zero >l/large
busybox_image big.tar localhost/abc/big:7 '{"Env":["PATH=/bin"],"Labels":{"k":"v","odd":"a b"}}' l
ok minke load -q -i big.tar
id=$(minke image inspect --format '{{.Id}}' "$IMG") big=$(minke image inspect --format '{{.Id}}' localhost/abc/big:7)
digest=$(minke image inspect --format '{{.Digest}}' "$IMG")
names() { ok minke images --format '{{.Repository}}:{{.Tag}}' "$@"; paste -sd' ' <<<"$out"; }
both='localhost/abc/big:7 localhost/busybox:latest'

ok minke images
assert_match '^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE' "$out"
ok minke images -n
assert_no_match 'REPOSITORY' "$out"
assert_eq 2 "$(wc -l <<<"$out")"
ok minke images --noheading -q
assert_eq "$(printf '%s\n' "${id:0:12}" "${big:0:12}" | sort)" "$(sort <<<"$out")"
ok minke images -q --no-trunc
assert_eq "$(printf 'sha256:%s\n' "$id" "$big" | sort)" "$(sort <<<"$out")"
ok minke images --digests
assert_match 'DIGEST' "$out"
assert_match "$digest" "$out"
ok minke images --no-trunc "$IMG"
assert_match "sha256:$id" "$out"
assert_no_match big "$out"
ok minke images --history
assert_match 'HISTORY' "$out"
assert_eq "$both" "$(names --sort repository)" 'by repository'
assert_eq "$both" "$(names --sort tag)" 'by tag'
assert_eq "$(printf '%s\n' "$id" "$big" | sort | paste -sd' ')" "$(minke images --sort id --no-trunc --format '{{.Id}}' | sed 's/sha256://' | paste -sd' ')" 'by id'
smaller='localhost/busybox:latest localhost/abc/big:7'
assert_match "^($smaller|$both)\$" "$(names --sort size)" 'by size'
assert_error 125 'nonsense' minke images --sort nonsense
ok minke images --format json
assert_eq 2 "$(jq length <<<"$out")"
assert_eq v "$(jq -r '.[]|select(.Names[0]|test("big")).Labels.k' <<<"$out")"

big_only='localhost/abc/big:7'
assert_eq "$big_only" "$(names -f label=k)"
assert_eq "$big_only" "$(names -f label=k=v)"
assert_eq "$big_only" "$(names --filter 'label=odd=a b')"
assert_eq '' "$(names -f label=k=w)"
assert_eq "$big_only" "$(names -f reference='*abc/big*')"
assert_eq "$big_only" "$(names -f reference=localhost/abc/big:7)"
assert_eq "$both" "$(names --sort repository -f dangling=false)"
assert_eq '' "$(names -f dangling=true)"
assert_eq "$both" "$(names --sort repository -f intermediate=false)"
assert_eq "localhost/busybox:latest" "$(names -f id="$id")"
assert_eq "$both" "$(names --sort repository -f readonly=false)"
assert_eq "$big_only" "$(names localhost/abc/big)"
ok minke run --name c --network none "$IMG" true
assert_eq "localhost/busybox:latest" "$(names -f containers=true)"
assert_eq "$big_only" "$(names -f containers=false)"
ok minke rm c
assert_error 125 'nofilter' minke images -f nofilter=1
# an image that loses its name
ok minke untag localhost/abc/big:7
ok minke images
assert_match '<none> +<none>' "$out"
assert_eq '<none>:<none>' "$(names -f dangling=true)"
