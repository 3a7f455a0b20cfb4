#!/bin/bash
# The shell driver keeps data where its commands put it, the pass driver in gpg files of a password store.
. "$(dirname "$0")/../../lib.sh"

printf 'top-%s' secret >"$T/s"
assert_error 125 'missing config value' minke secret create -d shell x "$T/s"
mkdir "$T/kept"
opts="store=cat >$T/kept/\$SECRET_ID,lookup=cat $T/kept/\$SECRET_ID,delete=rm $T/kept/\$SECRET_ID,list=ls $T/kept"
ok minke secret create -d shell --driver-opts "$opts" x "$T/s"
assert_eq top-secret "$(cat "$T/kept/$out")"
! grep -rq top-secret "$T/r" || fail 'also kept by the engine'
ok minke secret inspect --showsecret -f '{{.SecretData}} {{.Spec.Driver.Name}}' x
assert_eq 'top-secret shell' "$out"
ok minke secret rm x
assert_eq '' "$(ls "$T/kept")"
# What the user's command says no to is not made.
assert_error 125 'store command: exit status 3' minke secret create -d shell \
  --driver-opts "store=exit 3,lookup=true,delete=true,list=true" x "$T/s"
expect_exit 1 minke secret exists x

assert_error 125 'missing config value' env HOME=/nonexistent "$MINKE" "${engine_options[@]}" secret create -d pass x "$T/s"
need_program gpg
export GNUPGHOME=$T/g
mkdir -m 700 "$T/g" "$T/store"
gpg --batch --quiet --passphrase '' --quick-generate-key me@test default default never 2>"$T/.err" || skip "gpg: $(cat "$T/.err")"
opts="root=$T/store,key=me@test,gpghomedir=$T/g"
ok minke secret create -d pass --driver-opts "$opts" p "$T/s"
[ -s "$T/store/$out.gpg" ] || fail 'no gpg file'
ok minke secret inspect --showsecret -f '{{.SecretData}}' p
assert_eq top-secret "$out"
ok minke secret rm p
assert_eq '' "$(ls "$T/store")"
gpgconf --homedir "$T/g" --kill all
