#!/bin/bash
# --security-opt mask, unmask and proc-opts.
. "$(dirname "$0")/../../lib.sh"
need_image

ok run --security-opt mask=/etc/group:/var "$IMG" sh -c 'wc -c </etc/group; ls -A /var | wc -l'
assert_eq $'0\n0' "$out"
ok run --security-opt mask=/nosuch "$IMG" true
ok run "$IMG" sh -c 'grep -oE " /proc/keys " /proc/mounts'
assert_eq " /proc/keys " "$out"
ok run --security-opt unmask=/proc/keys "$IMG" sh -c 'grep -oE " /proc/(keys|sys) " /proc/mounts'
assert_eq ' /proc/sys ' "$out"
ok run --security-opt 'unmask=/proc/*' "$IMG" sh -c 'grep -E " /proc/" /proc/mounts; grep -c " /sys/firmware " /proc/mounts'
assert_eq 1 "$out"
ok run --security-opt unmask=ALL "$IMG" sh -c 'grep -E " /proc/| /sys/firmware" /proc/mounts; true'
assert_eq '' "$out"
ok run --security-opt proc-opts=hidepid=2 "$IMG" grep '^proc /proc ' /proc/mounts
assert_match 'hidepid=(2|invisible)' "$out"
