#!/bin/bash
# ADD unpacks local archives by what they hold, whatever they are called; COPY and --unpack=false do not. What is no archive is copied.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
mkdir -p ctx tree/sub
echo inside >tree/sub/file
tar -C tree --owner=7 --group=8 -cf ctx/plain.tar .
gzip -k ctx/plain.tar
mv ctx/plain.tar.gz ctx/looks-like.txt
xz -k ctx/plain.tar
bzip2 -k ctx/plain.tar
echo 'not an archive' | gzip >ctx/text.gz
echo 'not one either' >ctx/fake.tar
cat >ctx/Containerfile <<'E'
FROM localhost/busybox
ADD plain.tar /plain
ADD looks-like.txt /gz/
ADD plain.tar.xz /xz/
ADD plain.tar.bz2 /bz2/
ADD --chown=5:6 plain.tar /owned/
COPY plain.tar /copied/
ADD text.gz fake.tar /files/
E
is_podman || echo 'ADD --unpack=false plain.tar /kept/' >>ctx/Containerfile
ok minke build --network none -t made ctx
ok run made sh -c 'cat /plain/sub/file /gz/sub/file /xz/sub/file /bz2/sub/file; stat -c "%u:%g" /plain/sub/file; ls /copied /files'
assert_eq $'inside\ninside\ninside\ninside\n7:8\n/copied:\nplain.tar\n\n/files:\nfake.tar\ntext.gz' "$out"
is_podman && exit 0
ok run made sh -c 'ls /kept; stat -c "%u:%g" /owned/sub/file'
assert_eq $'plain.tar\n5:6' "$out"
# an archive cannot leave the image
mkdir evil
ln -s / evil/out
echo bad >evil/file
tar -cf ctx/evil.tar --transform 's,^evil/file,out/tmp/minke-escaped,' evil/out evil/file
tar -rf ctx/evil.tar --transform 's,^evil/file,../../../../tmp/minke-escaped,' -P evil/file
printf 'FROM localhost/busybox\nADD evil.tar /x/\n' >C
minke build --network none -f C ctx >/dev/null 2>&1 || true
[ ! -e /tmp/minke-escaped ]
# a damaged one is an error, and no half of it
head -c 2000 ctx/plain.tar >ctx/damaged.tar
printf 'FROM localhost/busybox\nADD damaged.tar /x/\n' >C
expect_exit 125 minke build --network none -f C ctx
assert_match 'damaged.tar' "$err"
nothing_staged
