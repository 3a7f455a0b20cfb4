#!/bin/bash
# secret create, ls, inspect, exists and rm, with Podman's output and exit codes.
. "$(dirname "$0")/../../lib.sh"

printf hello >"$T/s"
ok minke secret create --label a=b x "$T/s"
id=$out
assert_match '^[0-9a-f]{25}$' "$id"
assert_error 125 '^Error: x: secret name in use$' minke secret create x "$T/s"
assert_error 125 'secret data must be larger than 0 and less than 512000 bytes' minke secret create y /dev/null
assert_error 125 'invalid driver' minke secret create -d bad y "$T/s"
assert_error 125 'environment variable NOV is not set' minke secret create --env y NOV
assert_error 125 'invalid secret name' minke secret create a/b "$T/s"
assert_error 125 'open nofile: no such file or directory' minke secret create y nofile
V=one ok minke secret create --env y V
ok minke secret create .. "$T/s"
ok minke secret exists ..
ok minke secret rm ..

ok minke secret ls -q --filter name=^x$
assert_eq "$id" "$out"
ok minke secret ls --format '{{.Name}} {{.Driver}}'
assert_eq $'x file\ny file' "$out"
ok minke secret ls
assert_match '^ID +NAME +DRIVER +CREATED +UPDATED' "$out"
ok minke secret ls --format json --filter label=a=b
assert_eq x "$(field "$out" '.[].Name')"
assert_error 125 'invalid filter "foo"' minke secret ls --filter foo=x

ok minke secret inspect "${id:0:6}"
assert_eq "x file b null" "$(field "$out" '.[0]|"\(.Spec.Name) \(.Spec.Driver.Name) \(.Spec.Labels.a) \(.SecretData)"')"
assert_no_match hello "$out"
ok minke secret inspect --showsecret --format '{{.SecretData}}' x
assert_eq hello "$out"
ok minke secret inspect --pretty x
assert_match $'Labels:\n - a=b' "$out"
assert_error 125 'inspecting secret: no secret with name or id "nope": no such secret' minke secret inspect nope
assert_match '\[\]' "$out"

[ "$(find "$T/r/secrets" -type f ! -perm 600 | wc -l)" = 0 ] || fail 'a secret is readable by others'
[ "$(stat -c %a "$T/r/secrets")" = 700 ] || fail 'the folder is not private'

printf other >"$T/s"
ok minke secret create --ignore x "$T/s"
assert_eq "$id" "$out"
ok minke secret create --replace x "$T/s"
ok minke secret inspect --showsecret --format '{{.SecretData}}' x
assert_eq other "$out"

expect_exit 1 minke secret exists nope
assert_error 125 'no secret with name or id "nope": no such secret' minke secret rm nope
ok minke secret rm --ignore nope
assert_error 125 'requires one argument, or the --all flag' minke secret rm
ok minke secret rm --all
ok minke secret ls -q
assert_eq '' "$out"
