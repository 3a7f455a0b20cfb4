#!/bin/bash
# What the engine is for: a container of an ordinary user, on a network of his own, sees the address of a client elsewhere, IPv4 and IPv6;
# clients on the host itself appear as the gateway.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-user-lab.sh"

user_lab <<'D'
m network create mail >/dev/null
m run -d --name srv --network mail -p 8025:25 busybox nc -ll -p 25 -e sleep 100 >/dev/null
for _ in $(seq 100); do m exec srv netstat -lnt | grep -q ':25 ' && break; sleep 0.2; done
# a connection that stays open, from each
hold() { "$1" bash -c "exec 3<>/dev/$2/$3/$4; echo hello >&3; sleep 60" & }
hold on-client tcp "$LAB_SERVER4" 8025
hold on-client tcp "$LAB_SERVER6" 8025
hold on-server tcp 127.0.0.1 8025
for _ in $(seq 100); do
  m exec srv netstat -tn >seen
  [ "$(grep -c ESTABLISHED seen)" -ge 3 ] && break
  sleep 0.2
done
m network inspect mail --format '{{range .Subnets}}{{.Gateway}} {{end}}' >gateways
D
seen=$(cat seen)
assert_match ':25 .*203\.0\.113\.7:' "$seen" 'TCP, IPv4'
assert_match ':25 .*2001:db8:113::7:' "$seen" 'TCP, IPv6'
read -r gateway _ <gateways
assert_match ":25 .*$gateway:" "$seen" 'the host itself'
assert_no_match '127\.0\.0\.1' "$seen" 'nobody is taken for local'
