#!/bin/bash
# Beside a running ufw, which drops what it does not know: containers reach the world, the world reaches published ports with its own
# address; also after ufw's own reload and the network reload that follows it.
# needs: root
if [ -z "${OWN_MOUNTS:-}" ]; then export OWN_MOUNTS=1; exec unshare --mount -- "$0" "$@"; fi
. "$(dirname "$0")/../../lib-network.sh"
is_podman && skip 'another way'
need_program ufw
need_image
make_outside
peers=''
trap 'code=$?; set +e; kill $peers; umount /etc/ufw /etc/default/ufw; daemon_gone; (exit $code); cleanup' EXIT
# ufw's settings are the test's own; the kernel's stay as they are.
cp -a /etc/ufw "$T/ufw"
mount --bind "$T/ufw" /etc/ufw
sed 's/^IPT_SYSCTL=.*/IPT_SYSCTL=/' /etc/default/ufw >"$T/default"
mount --bind "$T/default" /etc/default/ufw
ufw --force enable >/dev/null
nsenter -t "$outside" -n -- "$PEER" serve 9 >away.log & # in the world
peers=$!

minke network create mail >/dev/null
ok minke --log-level=info run -d --name c --network mail -p 8081:80 "${serving[@]}" "$IMG" sleep 1000
assert_match 'table ip filter, chain FORWARD drops: a rule that accepts' "$err" 'what was needed'
serve c 80
works() {
  assert_eq 192.0.2.2 "$(out timeout 5 "$PEER" ask tcp 192.0.2.1 8081 | cut -d' ' -f1)" "in, $1"
  assert_eq 2001:db8:2::2 "$(out timeout 5 "$PEER" ask tcp 2001:db8:2::1 8081 | cut -d' ' -f1)" "in by IPv6, $1"
  assert_eq 192.0.2.1 "$(minke exec c timeout 5 netpeer ask tcp 192.0.2.2 9 | cut -d' ' -f1)" "out, $1"
  assert_match "Address:.* $(address_of c mail)" "$(minke exec c nslookup c)" "names, $1"
}
works 'first'
# ufw still drops what is not ours.
"$PEER" serve 7777 >here.log &
peers+=" $!"
within 20 "$PEER" ask tcp 127.0.0.1 7777
assert_eq '' "$(out timeout 2 "$PEER" ask tcp 192.0.2.1 7777 2>&1 || true)" 'what ufw drops'

ufw reload >/dev/null
within 20 eval 'iptables -S FORWARD | grep -q minke'
works 'after the reload'
