#!/bin/bash
# Each container has its own layer: changes last over a stop, and no other container sees them.
. "$(dirname "$0")/../../lib.sh"
need_image
ok minke run --name a --network none "$IMG" sh -c 'echo mine >/etc/new; rm /etc/group'

ok run "$IMG" sh -c 'test ! -e /etc/new && test -e /etc/group'
minke commit --help >/dev/null 2>&1 || true
ok minke start a
ok minke export -o a.tar a
tar -tf a.tar | sed 's,^\./,,' | grep -qx etc/new
! tar -tf a.tar | sed 's,^\./,,' | grep -qx etc/group || fail 'a removed file is in the export'
