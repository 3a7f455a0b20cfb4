#!/bin/bash
# The mail server page's way to low ports: firewalld forwards 25 to the 10025 that an ordinary user's container publishes, and a direct
# rule does so for the host itself. The container sees the client's own address.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-user-lab.sh"
. "$(dirname "$0")/../../lib-firewall.sh"
need_program iptables

LIB=$(readlink -f "$(dirname "$0")/../../lib-firewall.sh")
export LIB
user_lab <<'D'
need_program() { command -v "$1" >/dev/null; }
within() { local end=$((SECONDS + $1)); shift; until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || { echo "not so in time: $*" >&2; exit 1; }; sleep 0.1; done; }
. "$LIB"
trap 'm system reset -f >/dev/null; stop_firewalld' EXIT
start_firewalld on-server
firewall-cmd --permanent --add-forward-port=port=25:proto=tcp:toport=10025
# --add-forward-port is of IPv4 only
firewall-cmd --permanent --add-rich-rule='rule family=ipv6 forward-port port=25 protocol=tcp to-port=10025'
firewall-cmd --permanent --direct --add-rule ipv4 nat OUTPUT 0 -p tcp -o lo --dport 25 -j REDIRECT --to-ports 10025
firewall-cmd --reload
m network create mail >/dev/null
m run -d --name srv --network mail -p 10025:25 busybox nc -ll -p 25 -e sleep 100 >/dev/null
within 20 eval 'm exec srv netstat -lnt | grep -q ":25 "'
hold() { "$1" bash -c "exec 3<>/dev/tcp/$2/25; echo hello >&3; sleep 60" & }
hold on-client "$LAB_SERVER4"
hold on-client "$LAB_SERVER6"
hold on-server 127.0.0.1
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
