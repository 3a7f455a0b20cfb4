#!/bin/bash
# No inodes left: one clear line; what is there can be used and removed.
# needs: root
. "$(dirname "$0")/../../lib.sh"

export T MINKE IMAGES IMG
unshare --mount --propagation private bash -euc '
  mkdir -p "$T/small"; mount -t tmpfs -o nr_inodes=1500,mode=755 tmpfs "$T/small"
  m() { command "$MINKE" --root "$T/small/r" --runroot "$T/u2" "$@"; }
  m load -q -i "$IMAGES/busybox.tar" >/dev/null
  m create --name c --network none "$IMG" echo fine >/dev/null
  i=0; while : >"$T/small/f$i"; do i=$((i+1)); done 2>/dev/null
  for command in "create --name d $IMG true" "volume create v"; do
    if m $command >/dev/null 2>"$T/err"; then echo "$command worked"; exit 1; fi
    [ "$(wc -l <"$T/err")" = 1 ] && grep -q "No space left on device" "$T/err" || { cat "$T/err"; exit 1; }
  done
  m ps -a | grep -q " c$"
  m rm c >/dev/null
  rm "$T"/small/f*
  [ "$(m run --rm --network none "$IMG" echo fine)" = fine ]
' || fail 'see above'
rm -rf "$T/u2" "$T/small"
