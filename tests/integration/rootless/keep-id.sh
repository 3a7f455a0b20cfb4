#!/bin/bash
# --userns keep-id: inside, the user has the ids it has outside.
# needs: user
. "$(dirname "$0")/../../lib.sh"
need_image

ok run --userns keep-id "$IMG" sh -c 'echo $(id -u):$(id -g)'
assert_eq "$(id -u):$(id -g)" "$out"
ok run --userns keep-id -v "$T:/out" "$IMG" touch /out/mine
assert_eq "$(id -u)" "$(stat -c %u mine)"
ok run --userns keep-id:uid=1000,gid=1000 "$IMG" sh -c 'echo $(id -u):$(id -g)'
assert_eq '1000:1000' "$out"
