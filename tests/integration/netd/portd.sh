#!/bin/bash
# A port below 1024 is bound by minke-portd for the user whom a file grants it, and for nobody else; without any of the three ways the
# error shows them.
# needs: root
. "$(dirname "$0")/../../lib-names.sh"
need_program python3

user=minke-test
getent passwd $user >/dev/null || skip "no user $user"
mkdir "$T/ports.d"
echo 1024 >/proc/sys/net/ipv4/ip_unprivileged_port_start
"$BIN/minke-portd" 2>"$T/err" && fail 'started by hand'
assert_match 'minke-portd.socket' "$(cat "$T/err")"
# as systemd does: the listening socket is descriptor 3
python3 - "$T/portd.sock" "$BIN/minke-portd" "$T/ports.d" 2>"$T/portd.log" <<'P' &
import os, socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
listener.listen(64)
if listener.fileno() != 3:
    os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.execv(sys.argv[2], sys.argv[2:])
P
portd=$!
within 10 [ -S "$T/portd.sock" ]
chmod 755 "$T"
cat >"$T/client" <<'P'
import array, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1])
s.send(sys.argv[2].encode())
data, control, _, _ = s.recvmsg(4096, socket.CMSG_SPACE(4))
if data[:1] != b"+":
    sys.exit(data[2:].decode())
fds = array.array("i", control[0][2])
bound = socket.socket(fileno=fds[0])
print(*bound.getsockname()[:2], {1: "tcp", 2: "udp"}[bound.type])
P
wish() { runuser -u $user -- python3 "$T/client" "$T/portd.sock" "$1"; }
refused() { wish "$1" 2>"$T/.err" && fail "granted: $1"; assert_match "$2" "$(cat "$T/.err")"; }

refused 'tcp 127.0.0.1 25' "no file in .* grants 127.0.0.1:25/tcp to user $user"
echo "$user 127.0.0.1 25,80-90 tcp" >"$T/ports.d/mail.conf"
assert_eq '127.0.0.1 25 tcp' "$(wish 'tcp 127.0.0.1 25')"
refused 'tcp 0.0.0.0 25' 'no file'
refused 'udp 127.0.0.1 25' 'no file'
refused 'tcp 127.0.0.1 91' 'no file'
refused 'rm -rf' 'must be tcp or udp'
echo "$(id -u $user) * 53 *" >"$T/ports.d/dns.conf"
assert_eq '0.0.0.0 53 udp' "$(wish 'udp 0.0.0.0 53')"
chmod 666 "$T/ports.d/dns.conf" # anybody could have written it
refused 'udp 0.0.0.0 53' 'no file'
# somebody who connects often and says nothing keeps nobody waiting but himself
cat >"$T/silent" <<'P'
import socket, sys, time
held = []
for i in range(30):
    held.append(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    held[-1].connect(sys.argv[1])
print("ready", flush=True)
time.sleep(60)
P
runuser -u nobody -- python3 "$T/silent" "$T/portd.sock" >"$T/silent.out" 2>&1 &
silent=$!
within 20 grep -q ready "$T/silent.out"
assert_eq '127.0.0.1 25 tcp' "$(timeout 20 runuser -u $user -- python3 "$T/client" "$T/portd.sock" 'tcp 127.0.0.1 25')"
within 10 grep -q 'user nobody: too many questions at once' "$T/portd.log"
kill $silent
assert_match "user $user .*127.0.0.1:25/tcp: handed over" "$(cat "$T/portd.log")"

# netd asks it; without it the error names the three ways
chmod 644 "$T/ports.d/dns.conf"
echo "$user * 25 tcp" >"$T/ports.d/mail.conf"
mkdir -m 700 "$T/x" && chown $user "$T/x"
cat >"$T/as-user" <<'S'
set -eu
T=$1 MINKE=$2
export XDG_RUNTIME_DIR=$T/x
. "$3/lib-names-record.sh"
minke() { "$MINKE" --root "$T/r" --runroot "$T/u" "$@"; }
T=$T/x
sleep 1000 &
record mail $! front=10.77.0.2/24@10.77.0.1 -p "$4"
code=0
minke system netd sync "$(id_of mail)" || code=$?
[ $code != 0 ] || ss -ltn
kill $!
kill "$(minke system netd status | jq .pid)"
exit $code
S
as_user() { # PORTD MAPPING
  timeout 60 runuser -u $user -- env MINKE_PORTD_SOCKET="$1" bash "$T/as-user" "$T" "$MINKE" "$(dirname "$0")/../.." "$2"
}
out=$(as_user "$T/portd.sock" '|25|25|tcp' 2>&1) || fail "$out"
assert_match '0.0.0.0:25' "$out"
code=0
out=$(as_user "$T/nobody" '|25|25|tcp' 2>&1) || code=$?
assert_eq 125 $code
assert_match 'rootless: cannot bind 0.0.0.0:25/tcp: permission denied' "$out"
assert_match 'ip_unprivileged_port_start=25' "$out"
assert_match "$user \* 25 tcp' \| sudo tee -a /etc/minke/ports.d/$user.conf" "$out"
assert_match 'ListenStream=25' "$out"
kill $portd
