#!/bin/bash
# Several platforms make a list; --manifest adds to one; a stage FROM --platform is that platform's image.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'podman 4.3 makes no list of -t'
need_image
mkdir ctx
echo data >ctx/data
printf 'FROM scratch\nARG TARGETARCH\nARG TARGETVARIANT\nENV ARCH=$TARGETARCH$TARGETVARIANT\nCOPY data /data\n' >C
members() { minke manifest inspect "$1" | jq -rc '[.manifests[].platform | .architecture + (.variant // "")] | sort | join(" ")'; }
ok minke build --platform linux/amd64,linux/arm64 --platform linux/arm/v7 -t multi --iidfile id -f C ctx
assert_match '\[linux/arm64 2/2\] COPY data /data' "$err"
assert_eq 'amd64 arm64 armv7' "$(members multi)"
assert_eq "sha256:$(tail -n 1 <<<"$out")" "$(cat id)"
list=$(tail -n 1 <<<"$out")
# built again it is the same list, with these members alone
ok minke build --platform linux/amd64,linux/s390x -t multi -f C ctx
assert_eq 'amd64 s390x' "$(members multi)"
assert_eq "$list" "$(tail -n 1 <<<"$out")"
# a name that an image had
ok minke build -t was -f C ctx
ok minke build --platform linux/amd64,linux/arm64 -t was -f C ctx
assert_eq 'amd64 arm64' "$(members was)"
assert_no_match 'list-' "$(minke images)"
# --manifest goes on with a list, or begins one
ok minke build --arch arm64 --manifest grown -f C ctx
ok minke build --platform linux/ppc64le --manifest grown -t one -f C ctx
assert_eq 'arm64 ppc64le' "$(members grown)"
assert_eq ppc64le "$(minke image inspect --format '{{.Architecture}}' one)"
# every member is an image of its own, which prune leaves
ok minke image prune -f
for digest in $(minke manifest inspect was | jq -r '.manifests[].digest'); do
  minke images -a --digests --no-trunc --format '{{.Digest}}' | grep -qx "$digest"
done
# a folder for each
ok minke build --platform linux/amd64,linux/arm64 -o type=local,dest=out -f C ctx
assert_eq $'data\ndata' "$(cat out/linux_amd64/data out/linux_arm64/data)"
assert_error 125 'type=tar holds one platform' minke build --platform linux/amd64,linux/arm64 -o type=tar,dest=x -f C ctx
assert_error 125 'has no place in it' minke build --manifest x -o type=local,dest=y -f C ctx
# one that fails leaves the list as it was
printf 'FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /x\n' >D
cp ctx/data ctx/amd64
expect_exit 125 minke build --platform linux/amd64,linux/arm64 -t multi -f D ctx
assert_eq 'amd64 s390x' "$(members multi)"
# FROM --platform, of scratch too; --os-version is kept
printf 'FROM --platform=linux/riscv64 scratch\nCOPY data /data\n' >F
ok minke build -t risc -f F ctx
assert_eq riscv64 "$(minke image inspect --format '{{.Architecture}}' risc)"
ok minke build --os-version 10.1 -t versioned -f C ctx
ok minke save -q -o versioned.tar versioned
assert_eq 10.1 "$(tar -xOf versioned.tar "$(tar -xOf versioned.tar manifest.json | jq -r '.[0].Config')" | jq -r '."os.version"')"
nothing_staged
