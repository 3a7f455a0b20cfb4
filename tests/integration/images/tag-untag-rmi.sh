#!/bin/bash
# tag adds a name, untag takes it, rmi removes the image with the last one.
. "$(dirname "$0")/../../lib.sh"
need_image
id=$(minke images -q --no-trunc)

ok minke tag "$IMG" localhost/other:2 third
ok minke images --format '{{.Repository}}:{{.Tag}}' --sort repository
assert_eq $'localhost/busybox:latest\nlocalhost/other:2\nlocalhost/third:latest' "$(sort <<<"$out")"
ok minke untag "$IMG" third
ok minke rmi localhost/other:2
assert_match 'Untagged: localhost/other:2' "$out"
ok minke image exists "$IMG"
ok minke rmi "$IMG"
assert_match "Deleted: ${id#sha256:}" "$out"
ok minke images -q
assert_eq '' "$out"
expect_exit 1 minke rmi "$IMG"
