#!/bin/bash
# An image of another architecture: its files can be built upon, its commands need an interpreter, and that is said.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'other words'
[ -e /proc/sys/fs/binfmt_misc/qemu-s390x ] && skip 'an interpreter is registered'
need_image
mkdir layer ctx
echo x >layer/x
make_image other.tar localhost/other '{}' layer
mkdir unpacked && tar -C unpacked -xf other.tar
config=$(jq -r '.[0].Config' unpacked/manifest.json)
sed -i 's/"amd64"/"s390x"/' "unpacked/$config"
new=$(sha256sum <"unpacked/$config" | cut -d' ' -f1).json
mv "unpacked/$config" "unpacked/$new"
sed -i "s/$config/$new/" unpacked/manifest.json
tar -C unpacked -cf other.tar .
ok minke load -q -i other.tar
printf 'FROM localhost/other\nARG TARGETARCH\nENV ARCH=$TARGETARCH\nWORKDIR /w\n' >C
ok minke build --platform linux/s390x -t made -f C ctx
assert_eq s390x "$(minke image inspect --format '{{.Architecture}}' made)"
assert_match ARCH=s390x "$(config made .Env)"
printf 'FROM localhost/other\nRUN ["/x"]\n' >C
assert_error 125 'RUN of an image for s390x on .*: no interpreter is registered' minke build --platform linux/s390x -f C ctx
assert_error 125 'RUN of an image for s390x' minke build --platform linux/s390x,linux/amd64 -t both -f C ctx
expect_exit 1 minke manifest exists both
