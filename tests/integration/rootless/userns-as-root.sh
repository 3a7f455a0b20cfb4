#!/bin/bash
# --uidmap and --gidmap as root map the container's ids; its files look right from inside.
# needs: root
. "$(dirname "$0")/../../lib.sh"
need_image

ok run --uidmap 0:200000:5000 --gidmap 0:200000:5000 "$IMG" sh -c 'cat /proc/self/uid_map; stat -c %u /etc/passwd; touch /x; stat -c %u /x'
assert_match '^ +0 +200000 +5000' "$(head -n 1 <<<"$out")"
assert_eq $'0\n0' "$(tail -n 2 <<<"$out")"
id=$(start --uidmap 0:200000:5000 --gidmap 0:200000:5000 "$IMG" sleep 100)
assert_eq 200000 "$(stat -c %u "/proc/$(minke inspect --format '{{.State.Pid}}' "$id")")"
