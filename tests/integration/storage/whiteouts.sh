#!/bin/bash
# Whiteouts and opaque directories of upper layers hide what lies below.
. "$(dirname "$0")/../../lib.sh"
mkdir -p l1/dir/sub l1/gone l1/opaque l2/dir l2/opaque
echo 1 >l1/dir/kept; echo 1 >l1/dir/removed; echo 1 >l1/gone/x; echo 1 >l1/opaque/old; echo 1 >l1/dir/sub/x
: >l2/.wh.gone; : >l2/dir/.wh.removed; : >l2/opaque/.wh..wh..opq; echo 2 >l2/opaque/new
busybox_image i.tar localhost/wh:latest '{"Env":["PATH=/bin"]}' l1 l2
ok minke load -q -i i.tar

ok run localhost/wh:latest sh -c 'ls -A /dir /opaque; ls -d /gone 2>&1; ls -A / | grep wh || true'
assert_eq $'/dir:\nkept\nsub\n\n/opaque:\nnew\nls: /gone: No such file or directory' "$out"
