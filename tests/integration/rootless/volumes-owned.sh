#!/bin/bash
# Files in volumes belong to mapped ids; the user can remove them through unshare.
# needs: user
. "$(dirname "$0")/../../lib.sh"
need_image

ok run -v v:/data "$IMG" sh -c 'touch /data/f; chown app /data/f'
dir=$(minke volume inspect --format '{{.Mountpoint}}' v)
first=$(sed -n "s/^$(id -un):\([0-9]*\):.*/\1/p" /etc/subuid | head -1)
assert_eq $((first + 999)) "$(stat -c %u "$dir/f")"
ok minke unshare rm "$dir/f"
