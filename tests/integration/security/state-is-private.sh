#!/bin/bash
# What the engine keeps is not for other users to read.
# needs: root
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c -v vol:/v "$IMG" sleep 100 >/dev/null
leaks=$(find "$T/r" "$T/u" -maxdepth 0 -perm /007 ! -perm 0711; find "$T/r/containers" "$T/u/containers" -mindepth 1 -maxdepth 2 -name '*.json' -perm /004 2>/dev/null)
if ! is_podman; then
  for f in $leaks; do
    setpriv --reuid 65534 --regid 65534 --clear-groups cat "$f" >/dev/null 2>&1 && fail "$f can be read by others"
  done
fi
setpriv --reuid 65534 --regid 65534 --clear-groups find "$T/u" -type s -writable 2>/dev/null | grep . && fail 'sockets open to others'
true
