#!/bin/bash
# load takes a docker-archive from a file and from standard input, compressed in any way.
. "$(dirname "$0")/../../lib.sh"
ok minke load -i "$IMAGES/busybox.tar"
assert_match 'Loaded image.*: localhost/busybox:latest' "$out"
for tool in gzip bzip2 xz zstd; do
  command -v $tool >/dev/null || continue
  minke rmi -f "$IMG" >/dev/null
  $tool -c <"$IMAGES/busybox.tar" >image.z
  rc=0
  minke load -q <image.z >o 2>&1 || rc=$?
  assert_eq 0 $rc "$tool: $(cat o)"
  ok minke image exists "$IMG"
done
expect_exit 125 minke load -i no-such-file
head -c 5000 "$IMAGES/busybox.tar" >cut.tar
expect_exit 125 minke load -q -i cut.tar
