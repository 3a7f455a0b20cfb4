#!/bin/bash
# hosts, resolv.conf and hostname: options, host-gateway, several networks, none of them when not wanted.
. "$(dirname "$0")/../../lib-network.sh"
need_image
# root's gateway is the host; a user's is in the user's own namespace
own=$(gateway_of podman)
host=$own
is_root || host=$(ip -4 -o addr show scope global | awk 'NR == 1 {sub("/.*", "", $4); print $4}')
[ -n "$host" ] || skip 'this host has no address but its loopback'
ok minke run --rm --name n --hostname h --add-host a:1.2.3.4 --add-host 'g;k:host-gateway' "$IMG" cat /etc/hosts
assert_match $'^1.2.3.4\ta\n'"$host"$'\tg k\n' "$out"
assert_match "$host"$'\thost.containers.internal host.docker.internal\n'"${own%.1}"$'.[0-9]+\th n\n' "$out"
ok minke run --rm --dns 192.0.2.53 --dns-search foo.com --dns-option ndots:2 "$IMG" cat /etc/resolv.conf
assert_eq $'search foo.com\nnameserver 192.0.2.53\noptions ndots:2' "$out"
ok minke run --rm "$IMG" grep -c '^nameserver' /etc/resolv.conf
ok minke run --rm --no-hosts "$IMG" sh -c 'cat /etc/hosts 2>/dev/null || echo none'
assert_no_match host.containers "$out"
printf '10.1.1.1 base\n' >"$T/base"
ok minke run --rm --hosts-file "$T/base" "$IMG" cat /etc/hosts
assert_match $'^10.1.1.1\tbase\n' "$out"
for entry in foo :1.2.3.4; do assert_error 125 "bad format for add-host: \"$entry\"" minke create --add-host "$entry" "$IMG"; done
assert_error 125 'invalid IP address in add-host: "bad"' minke create --add-host foo:bad "$IMG"
assert_error 125 'no-hosts and --add-host cannot be set together' minke run --rm --no-hosts --add-host a:1.2.3.4 "$IMG" true
ok minke run --rm --hostname h "$IMG" cat /etc/hostname
assert_eq h "$out"
nothing_left
