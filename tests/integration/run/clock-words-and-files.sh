#!/bin/bash
# --tz, --personality, --label-file, --pidfile, --chrootdirs.
. "$(dirname "$0")/../../lib.sh"
need_image

assert_eq JST "$(run --tz Asia/Tokyo "$IMG" date +%Z)"
assert_error 125 'zoneinfo/Nope/Nope: no such file or directory' minke run --rm --tz Nope/Nope "$IMG" true
[ "$(uname -m)" != x86_64 ] || assert_eq i686 "$(run --personality LINUX32 "$IMG" uname -m)"
assert_error 125 'persona' minke create --personality SOLARIS "$IMG"

printf 'a=b\n# comment\n\n  x=y z\nempty\n' >labels
minke create --name l --network none --label-file labels --label x=given "$IMG" true >/dev/null
assert_eq '{"a":"b","empty":"","x":"given"}' "$(minke inspect l | jq -cS '.[0].Config.Labels')"
printf 'e =f\n' >bad
assert_error 125 'unable to process labels: name "e " has white spaces, poorly formatted name' minke create --label-file bad "$IMG"
assert_error 125 'unable to process labels: .*/nosuch' minke create --label-file /nosuch "$IMG"

start --name p --pidfile "$PWD/pid" "$IMG" sleep 1000 >/dev/null
assert_eq "$(minke inspect --format '{{.State.Pid}}' p)" "$(cat pid)"
assert_eq "$PWD/pid" "$(minke inspect --format '{{.PidFile}}' p)"

ok run --chrootdirs /a,/b/ --chrootdirs /c/d "$IMG" sh -c 'ls /a/etc/hosts /b/etc/hosts /c/d/etc/hosts; grep -c localhost /a/etc/hosts'
assert_match $'/a/etc/hosts\n/b/etc/hosts\n/c/d/etc/hosts\n[12]' "$out"
