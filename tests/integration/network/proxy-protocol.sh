#!/bin/bash
# -p ...,proxy=v1|v2: what a real receiver (nc) in the container gets in front of the client's words.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-clients.sh"
in_clients_lab "$@"

u network create mail >/dev/null
receive() { # VERSION ADDRESS BIND
  u run -d --name r --network mail -p "8026:26,proxy=$1" busybox sh -c 'nc -l -p 26 >/got; touch /done; sleep 1000' >/dev/null
  within 20 eval 'u exec r netstat -lnt | grep -q ":26 "'
  on-client timeout 10 bash -c "exec 3<>/dev/tcp/$2/8026; printf 'hello\n' >&3; sleep 0.2"
  within 20 u exec r test -e /done
  u exec r od -An -v -tx1 /got | tr -d ' \n' >"$T/got"
  u rm -f -t 0 r >/dev/null
}
got() { xxd -r -p "$T/got"; }
need_program xxd
receive v1 $S4
assert_match "^PROXY TCP4 $C4 $S4 [0-9]+ 8026"$'\r\nhello$' "$(got)"
receive v1 $S6
assert_match "^PROXY TCP6 $C6 $S6 [0-9]+ 8026"$'\r\nhello$' "$(got)"
receive v2 $S4
# signature, version 2 and PROXY, TCP over IPv4, 12 bytes: both addresses, both ports
assert_match '^0d0a0d0a000d0a515549540a2111000ccb007107c633640a....1f5a68656c6c6f0a$' "$(cat "$T/got")"
