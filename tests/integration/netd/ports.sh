#!/bin/bash
# netd opens a container's published ports on the host and leads them into N: a client on the host shows up as the network's gateway. A killed
# netd opens them again; they close with the container's process; who holds a port is told.
# needs: user
. "$(dirname "$0")/../../lib-names.sh"
need_program python3

port=$((20000 + $$ % 20000))
cat >"$T/serve.py" <<'P'
import socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("0.0.0.0", 80))
s.listen()
print("ready", flush=True)
while True:
    c, peer = s.accept()
    c.sendall((peer[0] + "\n").encode())
    c.close()
P
cat >"$T/dial.py" <<'P'
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10)
print(s.recv(100).decode().strip())
P
mkdir -p "$T/r/networks"
printf '{"name":"front","id":"%s","driver":"bridge","network_interface":"minke7","created":"2026-01-01T00:00:00Z","subnets":[{"subnet":"10.77.0.0/24","gateway":"10.77.0.1"}],"dns_enabled":true}' \
  "$(id_of front)" >"$T/r/networks/front.json"
netd start
inside unshare --net python3 "$T/serve.py" >"$T/served" 2>&1 &
within 10 grep -q ready "$T/served"
container=$(pgrep -P $! -f serve.py || echo $!)
record web "$container" front=10.77.0.2/24@10.77.0.1 -p "127.0.0.1|$port|80|tcp"
netd sync "$(id_of web)" # makes the bridge, as the table was not there
inside ip link add veth7 type veth peer name eth0 netns "$container"
inside ip link set veth7 master minke7 up
in_container() { nsenter -t "$container" -U --preserve-credentials -n "$@"; }
in_container ip addr add 10.77.0.2/24 dev eth0
in_container ip link set eth0 up
in_container ip route add default via 10.77.0.1
dial() { python3 "$T/dial.py" 127.0.0.1 "$port"; }
within 10 dial
assert_eq 10.77.0.1 "$(dial)" 'the client that the container sees'
kill -9 "$(netd_pid)"
within 10 [ "$(status .listeners)" = 1 ]
assert_eq 10.77.0.1 "$(dial)" 'after a new netd'
sleeper
record other "$sleeper" front=10.77.0.3/24@10.77.0.1 -p "127.0.0.1|$port|80|tcp"
assert_error 125 "cannot bind 127.0.0.1:$port/tcp.*held|cannot bind 127.0.0.1:$port/tcp.* by container web" minke system netd sync "$(id_of other)"
assert_eq 1 "$(status .listeners)"
is_sanitized || [ "$(status .resident)" -lt $((4 << 20)) ] || fail "resident: $(status .resident)"
kill "$container"
within 20 eval '! python3 "$T/dial.py" 127.0.0.1 "$port" 2>/dev/null'
netd sync "$(id_of other)"
assert_eq 1 "$(status .listeners)"
end_netd
