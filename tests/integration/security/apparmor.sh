#!/bin/bash
# --security-opt apparmor=NAME confines by that profile; an unknown one is refused by name.
# needs: root
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'the name of its own default profile differs'
[ -e /sys/kernel/security/apparmor/profiles ] || skip 'no AppArmor here'
need_program apparmor_parser
need_image
name=minke-test-${T##*/}
cat >profile <<P
profile $name flags=(attach_disconnected,mediate_deleted) {
  file,
  capability,
  signal,
  deny /etc/denied r,
}
P
apparmor_parser -r profile || skip 'profiles cannot be loaded here'
finish() { local c=$?; minke rm -fa -t 0 >/dev/null 2>&1; apparmor_parser -R profile; (exit $c); cleanup; }
trap finish EXIT
echo secret >denied
ok run "$IMG" cat /proc/self/attr/current
assert_match 'unconfined' "$out"
ok run --security-opt "apparmor=$name" "$IMG" cat /proc/self/attr/current
assert_match "^$name \(enforce\)" "$out"
expect_exit 1 run --security-opt "apparmor=$name" -v "$T/denied:/etc/denied" "$IMG" cat /etc/denied
assert_match 'Permission denied' "$err"
ok run --security-opt apparmor=unconfined -v "$T/denied:/etc/denied" "$IMG" cat /etc/denied
# exec gets the same profile
id=$(start --security-opt "apparmor=$name" "$IMG" sleep 100)
ok minke exec "$id" cat /proc/self/attr/current
assert_match "^$name \(enforce\)" "$out"
assert_eq "$name" "$(minke inspect --format '{{.AppArmorProfile}}' "$id")"
expect_exit 125 run --security-opt apparmor=no-such-profile "$IMG" true
assert_match 'no-such-profile.* specified but not loaded' "$err"
