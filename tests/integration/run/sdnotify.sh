#!/bin/bash
# --sdnotify: who tells the service manager that it is ready, and what the container sees of its socket.
. "$(dirname "$0")/../../lib.sh"
need_image
need_program python3

cat >manager.py <<'P'
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
open(sys.argv[1] + ".up", "w").close()
while True:
    data = s.recv(4096).decode()
    with open(sys.argv[2], "a") as out:
        out.write(data.rstrip("\n") + "\n")
P
python3 manager.py "$PWD/n" "$PWD/told" &
within 20 test -e "$PWD/n.up"
export NOTIFY_SOCKET=$PWD/n
told() { : >>told; cat told; }
detached() { : >told; minke run -d --network none "$@" >/dev/null; }

detached --name m --sdnotify conmon "$IMG" sh -c 'test -z "$NOTIFY_SOCKET"; echo "none=$?"; sleep 1000'
within 20 eval 'told | grep -q READY=1'
assert_match "MAINPID=$(minke inspect --format '{{.State.ConmonPid}}' m)" "$(told)"
within 20 eval 'minke logs m | grep -q none=0'
ok minke rm -f -t 0 m

detached --name i --sdnotify ignore "$IMG" sh -c 'echo "socket=$NOTIFY_SOCKET"; sleep 1000'
within 20 eval 'minke logs i | grep -q "^socket=$"'
assert_eq '' "$(told)"
ok minke rm -f -t 0 i

# the program itself speaks; ours is the first word, with the main process
detached --name c --sdnotify container "$IMG" sh -c 'echo "socket=$NOTIFY_SOCKET"; test -S "$NOTIFY_SOCKET"; echo "there=$?"; sleep 1000'
within 20 eval 'minke logs c | grep -q there=0'
assert_no_match READY=1 "$(told)"
ok minke rm -f -t 0 c

if ! is_podman; then
  detached --name h --sdnotify healthy --health-cmd 'test -e /ok' --health-interval 100ms "$IMG" sleep 1000
  sleep 0.5
  assert_no_match READY=1 "$(told)"
  ok minke exec h touch /ok
  within 20 eval 'told | grep -q READY=1'
  ok minke rm -f -t 0 h
fi
assert_error 125 'sdnotify' minke create --sdnotify loud "$IMG"
