#!/bin/bash
# hostname -f and -d: from --hostname alone, and with --domainname as Docker has it.
. "$(dirname "$0")/../../lib-network.sh"
need_image
minke network create n >/dev/null

names='hostname -f; hostname -d; hostname; cat /proc/sys/kernel/domainname'
ok minke run --rm --network n --name whole --hostname mail.example.test "$IMG" sh -c "$names"
assert_eq $'mail.example.test\nexample.test\nmail.example.test\n(none)' "$out"
if ! is_podman; then
  ok minke run --rm --network n --name parts --hostname mail --domainname example.test "$IMG" sh -c "$names; cat /etc/hosts"
  assert_match $'^mail.example.test\nexample.test\nmail\nexample.test\n' "$out"
  assert_match $'\tmail.example.test mail parts\n' "$out"$'\n'
  ok run --hostname mail --domainname example.test "$IMG" hostname -f
  assert_eq mail.example.test "$out" 'without a network'
  assert_error 125 'domainname' run --uts host --domainname example.test "$IMG" true
  id=$(minke create --domainname example.test "$IMG")
  assert_eq example.test "$(minke inspect --format '{{.Config.Domainname}}' "$id")"
fi
