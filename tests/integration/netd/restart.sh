#!/bin/bash
# A netd that is killed is started anew and has everything back from the records; it ends after the last container.
. "$(dirname "$0")/../../lib-names.sh"

netd start
inside ip link add br0 type bridge && inside ip addr add 10.77.0.1/24 dev br0 && inside ip link set br0 up
sleeper
record web "$sleeper" front=10.77.0.2/24@10.77.0.1
netd sync "$(id_of web)"
first=$(netd_pid)
for _ in 1 2 3; do
  kill -9 "$(netd_pid)"
  netd start
  assert_eq $'NOERROR aa\n10.77.0.2' "$(ask 10.77.0.1 $DNS_PORT web A)"
done
[ "$first" != "$(netd_pid)" ] || fail 'the same process'
inside ip addr show br0 >"$T/.out" || fail 'the bridge went with netd'
kill "$sleeper" # its end alone is enough
within 30 [ ! -e "$T/u/netd.sock" ]
