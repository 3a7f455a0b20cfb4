#!/bin/bash
# A full disk: one clear line, nothing half made, and all goes on once there is room.
# needs: root
. "$(dirname "$0")/../../lib.sh"

unshare --mount --propagation private true || skip 'no mount namespace'
export T MINKE IMAGES IMG
unshare --mount --propagation private bash -euc '
  mkdir -p "$T/small"; mount -t tmpfs -o size=12m,mode=755 tmpfs "$T/small"
  m() { command "$MINKE" --root "$T/small/r" --runroot "$T/u2" "$@"; }
  one_line() { [ "$(wc -l <"$T/err")" = 1 ] && grep -q "No space left on device" "$T/err" || { echo "said:"; cat "$T/err"; exit 1; }; }
  m load -q -i "$IMAGES/busybox.tar" >/dev/null
  m create --name c --network none "$IMG" echo fine >/dev/null
  head -c 64m /dev/zero >"$T/small/fill" 2>/dev/null || true
  for command in "create --name d $IMG true" "volume create v" "secret create s $T/secret" "tag $IMG x:y"; do
    echo secret >"$T/secret"
    if m $command >/dev/null 2>"$T/err"; then echo "$command worked"; exit 1; fi
    one_line
  done
  m ps -a >"$T/out" && grep -q " c$" "$T/out"
  ! m container exists d && ! m volume exists v && ! m secret exists s && ! m image exists x:y
  rm "$T/small/fill"
  [ "$(m start -a c)" = fine ]
  m create --name d "$IMG" true >/dev/null; m volume create v >/dev/null; m secret create s "$T/secret" >/dev/null; m tag "$IMG" x:y
  m system check
  m rm -fa -t 0 >/dev/null
' || fail 'see above'
rm -rf "$T/u2" "$T/small"
