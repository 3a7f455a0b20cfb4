#!/bin/bash
# Rootless: root inside is the user, the other ids are the subordinate ones.
# needs: user
. "$(dirname "$0")/../../lib.sh"
need_image

ok run "$IMG" cat /proc/self/uid_map
read -r inside outside count <<<"$(head -n 1 <<<"$out")"
assert_eq "0 $(id -u) 1" "$inside $outside $count"
read -r inside outside count <<<"$(sed -n 2p <<<"$out")"
assert_eq "1 $(sed -n "s/^$(id -un):\([0-9]*\):.*/\1/p" /etc/subuid | head -1)" "$inside $outside"
ok run -v "$T:/out" "$IMG" sh -c 'touch /out/root-file; su app -c "touch /tmp/x"; stat -c %u /tmp/x'
assert_eq 1000 "$out"
assert_eq "$(id -u)" "$(stat -c %u root-file)"

# An owner in the image that has no id in the container: one line says which file, and how to mend it.
assert_error 125 '^Error: copying the image for the user namespace: /[a-z/]+: owner 0:0 is not mapped .*: give uid 0 a place with --uidmap$' \
  run --uidmap 1:0:100 --gidmap 0:0:100 "$IMG" true
