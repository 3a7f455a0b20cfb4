#!/bin/bash
# system check names what is damaged; --repair mends it, and what is healthy stays usable all the time.
. "$(dirname "$0")/../../lib.sh"
need_image

ok start --name up "$IMG" sleep 1000
ok minke create --name c --network none -v v:/d "$IMG" echo fine
c=$out
echo content >"$T/s"; ok minke secret create s "$T/s"
ok minke system check
assert_eq '' "$out"

damage() { # WHAT: it is named, mended, and all is well then
  assert_error 125 'damage detected in local storage' minke system check
  assert_match "$1" "$out"
  ok minke exec up true
  ok minke system check --repair
  assert_match "$1" "$out"
  ok minke system check
  assert_eq '' "$out" "after $1"
}
echo garbage >"$T/r/containers/$c/summary.json"
damage "container ${c:0:12}: .*summary.json"
echo garbage >"$T/r/containers/$c/exit"
damage "container ${c:0:12}: .*exit"
mkdir -p "$T/u/containers/$c"; echo garbage >"$T/u/containers/$c/state"
damage "container ${c:0:12}: .*state"
rm "$T/r/names/c"
damage "its name c is not reserved"
ln -s "$(printf '%064d' 1)" "$T/r/names/ghost"
damage 'name ghost'
echo garbage >"$T/r/names/file"
damage 'name file'
echo garbage >"$T/r/containers/file"
damage 'containers/file: it is no container'
echo garbage >"$T/r/volumes/v/config.json"
damage 'volume v'
echo garbage >"$T/r/secrets/s.d/config.json"
damage 'secret s'
ok minke secret inspect --showsecret -f '{{.SecretData}}' s
assert_eq content "$out"
echo garbage >"$T/r/images/blobs/sha256/garbage"
damage 'sha256/garbage: it is no blob'
chmod 755 "$T/r/secrets"
damage 'others may read'
ok minke start -a c
assert_eq fine "$out"
is_running up || fail 'what runs was touched'
# A container without its record: its files are thrown away only when that is said.
echo garbage >"$T/r/containers/$c/config.json"
assert_error 125 'still present after attempted repair' minke system check --repair
assert_match "--force removes it; its files are in $T/r/containers/$c/upper" "$out"
ok minke system check --force
expect_exit 1 minke container exists "$c"
is_running up || fail 'what runs was touched'
