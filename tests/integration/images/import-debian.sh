#!/bin/bash
# A rootfs made by mmdebstrap is imported and runs.
. "$(dirname "$0")/../../lib.sh"
[ -e "$IMAGES/debian-rootfs.tar" ] || skip 'no Debian rootfs'

ok minke import -q "$IMAGES/debian-rootfs.tar" localhost/deb:12
ok run localhost/deb:12 sh -c 'stat -c "%a %U" /usr/bin/passwd /tmp'
assert_eq $'4755 root\n1777 root' "$out"
