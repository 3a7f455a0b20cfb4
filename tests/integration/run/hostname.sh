#!/bin/bash
# The host name is the short id, or what --hostname says; it is in /etc/hostname and /etc/hosts.
. "$(dirname "$0")/../../lib.sh"
need_image

ok run --hostname box.example "$IMG" sh -c 'hostname; cat /etc/hostname'
assert_eq $'box.example\nbox.example' "$out"
id=$(minke create --network none "$IMG" hostname)
ok minke start -a "$id"
assert_eq "${id:0:12}" "$out"
