#!/bin/bash
# --syslog sends what is logged to syslog too.
# needs: root
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'it speaks to another place'
need_program python3
cat >listen.py <<'P'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(30)
print("up", flush=True)
try:
    while True:
        print(s.recv(65536).decode(), flush=True)
except TimeoutError:
    pass
P
mkdir upper work
python3 listen.py "$PWD/log" >got &
within 20 grep -q up got
# /dev with our own socket, for this one command
# shellcheck disable=SC2016 # for the inner shell
inside='mount -t overlay -o "lowerdir=/dev,upperdir=$0/upper,workdir=$0/work" overlay /dev && ln -sfn "$0/log" /dev/log && exec "$@"'
unshare -m true 2>/dev/null || skip 'no mount namespace'
printf '[containers]\nnetns="bridge"\n[engine]\nlock_type="file"\n' >c.conf
rc=0
CONTAINERS_CONF=$PWD/c.conf unshare -m bash -c "$inside" "$PWD" "$MINKE" "${engine_options[@]}" --syslog --log-level info events --stream=false >/dev/null 2>err || rc=$?
grep -q overlay err && skip "no overlay of /dev: $(cat err)"
assert_eq 0 $rc
assert_match lock_type "$(cat err)"
within 20 grep -q lock_type got
assert_match 'minke' "$(grep lock_type got)"
