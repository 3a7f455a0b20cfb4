#!/bin/bash
# --secret: a file below /run/secrets or where target says, with owner and mode; nothing of it on disk afterwards.
. "$(dirname "$0")/../../lib.sh"
need_image

printf 'top-%s' secret >"$T/s"
ok minke secret create x "$T/s"
ok run --secret x "$IMG" sh -c 'cat /run/secrets/x; stat -c " %a %u:%g" /run/secrets/x'
assert_eq 'top-secret 444 0:0' "$out"
ok run --secret x,target=/etc/foo,uid=5,gid=6,mode=0400 --secret source=x,target=sub/y "$IMG" \
  sh -c 'stat -c "%a %u:%g" /etc/foo; cat /run/secrets/sub/y'
assert_eq $'400 5:6\ntop-secret' "$out"
ok run --read-only --user 1000 --secret x "$IMG" cat /run/secrets/x
assert_eq top-secret "$out"
ok run --secret x -v v:/run/secrets "$IMG" cat /run/secrets/x
assert_eq top-secret "$out"
expect_exit 1 run --secret x "$IMG" sh -c 'echo >/run/secrets/x'

assert_error 125 'no secret with name or id "nope": no such secret' run --secret nope "$IMG" true
assert_error 125 'option foo=1 invalid: parsing secret' run --secret x,foo=1 "$IMG" true
assert_error 125 'UID, GID, Mode options cannot be set with secret type env' run --secret x,type=env,uid=1 "$IMG" true

# A container keeps its file when the secret goes.
ok minke create --name c --network none --secret x,mode=0400 "$IMG" cat /run/secrets/x
ok minke secret rm x
ok minke start -a c
assert_eq top-secret "$out"
ok minke inspect c
assert_eq 'x 256' "$(field "$out" '.[0].Config.Secrets[0]|"\(.Name) \(.Mode)"')"
assert_no_match top-secret "$out"
[ ! -e "$T/u/containers/$(minke inspect -f '{{.Id}}' c)/secrets" ] || fail 'the run folder still has it'
ok minke rm c
! grep -rq top-secret "$T/r" "$T/u" || fail "left: $(grep -rl top-secret "$T/r" "$T/u")"
