#!/bin/bash
# Outbound traffic of N by slirp4netns or pasta: datagrams reach the host's address, a helper that is killed is started again, and none
# is left when netd has ended.
# needs: user
. "$(dirname "$0")/../../lib-names.sh"

command -v slirp4netns >/dev/null || need_program pasta
netd start
assert_eq true "$(status .uplink.up)"
assert_match '^(slirp4netns|pasta)$' "$(status .uplink.program)"
sleeper
record web "$sleeper" front=10.77.0.2/24@10.77.0.1
netd sync "$(id_of web)"
helper() { cut -d' ' -f1 "$T/u/uplink"; }
old=$(helper)
kill -9 "$old"
within 30 eval '[ "$(status .uplink.restarts)" = 1 ] && [ "$(status .uplink.up)" = true ]'
[ "$old" != "$(helper)" ] || fail 'the same process'
assert_match 'mtu 65520' "$(inside ip link show tap0)"

address=$(ip -4 -o addr show scope global | awk 'NR == 1 {sub("/.*", "", $4); print $4}')
if [ -n "$address" ]; then
  port=$((20000 + $$ % 20000))
  serve_names "$T/served" "$address" $port answers
  assert_eq $'NOERROR\n192.0.2.53' "$(ask "$address" $port example.org A)"
fi
# its netd is killed: the helper goes with it, and the next netd has one of its own
old=$(helper)
kill -9 "$(netd_pid)"
within 10 eval '[ "$(status .uplink.up)" = true ]'
within 10 eval '! grep -q "^State:.[RSD]" /proc/'"$old"'/status 2>/dev/null'
last=$(helper)
end_netd
within 10 eval '! grep -q "^State:.[RSD]" /proc/'"$last"'/status 2>/dev/null'
