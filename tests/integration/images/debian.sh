#!/bin/bash
# The Debian image loads and runs: glibc programs, apt's database, users.
. "$(dirname "$0")/../../lib.sh"
[ -e "$IMAGES/debian.tar" ] || skip 'no Debian image'
need_image debian

ok run localhost/debian:latest bash -c '. /etc/os-release; echo "$ID $VERSION_ID"; dpkg-query -W -f "\${Status}\n" bash; id -un'
assert_eq $'debian 12\ninstall ok installed\nroot' "$out"
