#!/bin/bash
# A passwd file that is a FIFO, a device, huge or a link outside neither hangs nor helps.
. "$(dirname "$0")/../../lib.sh"
need_program timeout
for trap in fifo link huge; do
  rm -rf l; mkdir -p l/etc
  case $trap in
    fifo) mkfifo l/etc/passwd ;;
    link) ln -s ../../../../../../../../../../../etc/shadow l/etc/passwd ;;
    huge) truncate -s 1G l/etc/passwd ;;
  esac
  mkdir -p l/bin; cp "$(command -v busybox)" l/bin/sh; cp l/bin/sh l/bin/id; cp l/bin/sh l/bin/true
  make_image i.tar "localhost/$trap:latest" '{"Env":["PATH=/bin"]}' l
  ok minke load -q -i i.tar
  rc=0
  timeout 60 "$MINKE" "${engine_options[@]}" run --rm --network none --user 12 "localhost/$trap:latest" true >o 2>&1 </dev/null || rc=$?
  [ $rc != 124 ] || fail "$trap: hangs"
  rc=0
  timeout 60 "$MINKE" "${engine_options[@]}" run --rm --network none --user somebody "localhost/$trap:latest" id -u >o 2>&1 </dev/null || rc=$?
  if [ $rc = 124 ] || [ $rc = 0 ]; then fail "$trap: exit code $rc: $(cat o)"; fi
done
