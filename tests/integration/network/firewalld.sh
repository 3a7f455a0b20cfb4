#!/bin/bash
# Beside a running firewalld, whose zone rejects what it does not know: containers reach the world, the world reaches published ports
# with its own address, names are answered, what was needed is said; and all of it is there again after a reload of firewalld.
# needs: root
. "$(dirname "$0")/../../lib-network.sh"
. "$(dirname "$0")/../../lib-firewall.sh"
is_podman && skip 'it is made for iptables here'
need_image
make_outside
peers=''
trap 'code=$?; set +e; kill $peers; stop_firewalld; daemon_gone; (exit $code); cleanup' EXIT
start_firewalld
nsenter -t "$outside" -n -- "$PEER" serve 9 >away.log & # in the world
peers=$!

minke network create mail >/dev/null
ok minke --log-level=info run -d --name c --network mail -p 8081:80 "${serving[@]}" "$IMG" sleep 1000
assert_match 'firewalld: table inet firewalld, chain filter_FORWARD drops: a rule that accepts' "$err" 'what was needed'
serve c 80
works() {
  assert_eq 192.0.2.2 "$(out timeout 5 "$PEER" ask tcp 192.0.2.1 8081 | cut -d' ' -f1)" "in, $1"
  assert_eq 192.0.2.1 "$(minke exec c timeout 5 netpeer ask tcp 192.0.2.2 9 | cut -d' ' -f1)" "out, $1"
  assert_match "Address:.* $(address_of c mail)" "$(minke exec c nslookup c)" "names, $1"
}
works 'first'
# The zone still rejects: it is firewalld that decides about what is not ours.
"$PEER" serve 7777 >here.log &
peers+=" $!"
within 20 "$PEER" ask tcp 127.0.0.1 7777
assert_match EHOSTUNREACH "$(out timeout 5 "$PEER" ask tcp 192.0.2.1 7777 2>&1 || true)" 'what firewalld rejects'

assert_eq success "$(firewall-cmd --reload)"
within 20 eval 'nft list chain inet firewalld filter_FORWARD | grep -q "minke: what table inet minke accepts"'
works 'after the reload'

ok minke rm -f -t 0 c
minke network rm mail >/dev/null
ok minke network reload --all
assert_no_match minke "$(nft list ruleset | grep -A40 'table inet firewalld' | grep 'minke:' || true)" 'rules left in firewalld'
