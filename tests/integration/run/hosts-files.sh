#!/bin/bash
# /etc/hosts has localhost and --add-host; /etc/resolv.conf has --dns.
. "$(dirname "$0")/../../lib.sh"
need_image

ok run --add-host db:10.1.2.3 "$IMG" cat /etc/hosts
assert_match $'127\.0\.0\.1[ \t]+localhost' "$out"
assert_match $'10\.1\.2\.3[ \t]+db' "$out"
ok minke run --rm --network host --dns 192.0.2.53 --dns-search example.org "$IMG" cat /etc/resolv.conf
assert_match 'nameserver 192\.0\.2\.53' "$out"
assert_match 'search example\.org' "$out"
