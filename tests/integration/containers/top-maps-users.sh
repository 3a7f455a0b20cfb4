#!/bin/bash
# top names users by the container's own files, whatever its user namespace.
# needs: root
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c --user 1000:2000 --group-add 44 --uidmap 0:1:5000 --gidmap 0:1:5000 "$IMG" sleep 1000 >/dev/null
name=$(minke exec c sh -c 'grep ":1000:" /etc/passwd | cut -d: -f1')
ok minke top c user,ruser,hgroups,groups
assert_match "$name +$name +45" "$(tail -1 <<<"$out")"
ok minke top c huser,hgroup
assert_match "^($(getent passwd 1001 | cut -d: -f1)|1001) +($(getent group 2001 | cut -d: -f1)|2001)" "$(tail -1 <<<"$out")"
