#!/bin/bash
# A container that takes the place of the last one on a user's network is reached from elsewhere, with the client's own address.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-user-lab.sh"

user_lab <<'D'
m network create mail >/dev/null
for turn in 1 2 3; do
  m run -d --name srv --network mail -p 8025:25 busybox nc -ll -p 25 -e sh -c 'netstat -tn | grep ESTABLISHED' >/dev/null
  for address in "$LAB_SERVER4" "$LAB_SERVER6"; do
    for _ in $(seq 20); do
      said=$(on-client timeout 10 bash -c "exec 3<>/dev/tcp/$address/8025; cat <&3") || true
      [ -z "$said" ] || break
      sleep 0.2
    done
    echo "$turn $said" >>seen
  done
  m rm -f -t 0 srv >/dev/null
done
D
for turn in 1 2 3; do
  seen=$(grep -A1 "^$turn " seen)
  assert_match '203\.0\.113\.7:' "$seen" "container $turn, IPv4"
  assert_match '2001:db8:113::7:' "$seen" "container $turn, IPv6"
done
