#!/bin/bash
# --dns on a network with names: other names are asked there and nowhere else, own ones stay; network update's servers come into use.
# needs: root
. "$(dirname "$0")/../../lib-network.sh"
need_image
need_program python3
make_outside
tool=$(readlink -f "$(dirname "$0")/../../probe/dnstool.py")
serve_at() { # ADDRESS MOOD
  python3 "$tool" serve "$1" 53 "$2" >"$T/served.$1" 2>&1 &
  within 10 grep -q ready "$T/served.$1"
}
serve_at 192.0.2.1 answers
minke network create front >/dev/null
on_net a front --dns 192.0.2.1
on_net b front
ok minke exec a cat /etc/resolv.conf
assert_match 'nameserver 10\.89\.0\.1' "$out"
asks() { minke exec "$1" nslookup -type=a "$2" 10.89.0.1; }
within 20 eval 'asks a example.org | grep -q 192.0.2.53'
ok asks a b
assert_match "$(address_of b front)" "$out"
! asks b example.org | grep -q 192.0.2.53 || fail 'the servers of one container are asked for another'
minke network update --dns-add 192.0.2.1 front >/dev/null
within 20 eval 'asks b example.org | grep -q 192.0.2.53'
minke rm -f -t 0 a b >/dev/null
nothing_left
