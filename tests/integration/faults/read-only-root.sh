#!/bin/bash
# A read-only root: what reads works, what writes says so in one line.
# needs: root
. "$(dirname "$0")/../../lib.sh"

export T MINKE IMAGES IMG
unshare --mount --propagation private bash -euc '
  mkdir -p "$T/small"; mount -t tmpfs -o mode=755 tmpfs "$T/small"
  m() { command "$MINKE" --root "$T/small/r" --runroot "$T/u2" "$@"; }
  m load -q -i "$IMAGES/busybox.tar" >/dev/null
  m create --name c --network none "$IMG" echo fine >/dev/null
  m volume create v >/dev/null
  # a command that has printed its answer may still be ending
  for _ in $(seq 100); do ! mount -o remount,ro "$T/small" 2>"$T/err" || break; sleep 0.1; done
  grep -q " $T/small ro" /proc/self/mountinfo || grep " $T/small " /proc/self/mountinfo | grep -q " ro," || { cat "$T/err"; exit 1; }
  m ps -a | grep -q " c$"; m images -q | grep -q .; m inspect c >/dev/null; m volume ls -q | grep -q v; m system df >/dev/null
  echo secret >"$T/secret"
  for command in "create --name d $IMG true" "volume create w" "volume rm v" "secret create s $T/secret" "start c"; do
    if m $command >/dev/null 2>"$T/err"; then echo "$command worked"; exit 1; fi
    [ "$(wc -l <"$T/err")" = 1 ] && grep -q "Read-only file system" "$T/err" || { echo "$command"; cat "$T/err"; exit 1; }
  done
  mount -o remount,rw "$T/small"
  [ "$(m start -a c)" = fine ]
  m rm -fa -t 0 >/dev/null
' || fail 'see above'
rm -rf "$T/u2" "$T/small"
