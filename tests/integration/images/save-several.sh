#!/bin/bash
# Several images in one archive (save -m), several names of one image, several archives loaded one after the other.
. "$(dirname "$0")/../../lib.sh"
need_image
mkdir l
echo two >l/mark
busybox_image two.tar localhost/two:1 '{"Env":["PATH=/bin"]}' l
ok minke load -i two.tar
assert_match 'Loaded image.*: localhost/two:1' "$out"
ok minke tag localhost/two:1 localhost/again:2
one=$(minke image inspect --format '{{.Id}}' "$IMG") two=$(minke image inspect --format '{{.Id}}' localhost/two:1)
empty() { ok minke rmi -fa; ok minke images -q; assert_eq '' "$out"; }

ok minke save -q -m -o both.tar "$IMG" localhost/two:1 localhost/again:2
assert_eq 2 "$(tar -xOf both.tar manifest.json | jq length)" 'images in the archive'
empty
ok minke load -i both.tar
assert_match 'localhost/busybox:latest' "$out"
for name in localhost/busybox:latest localhost/two:1 localhost/again:2; do ok minke image exists "$name"; done
assert_eq "$one $two $two" "$(minke image inspect --format '{{.Id}}' "$IMG" localhost/two:1 localhost/again:2 | paste -sd' ')" ids
ok run localhost/two:1 cat /mark
assert_eq two "$out"

# without -m further words are names of the first
ok minke save -q -o names.tar localhost/two:1 localhost/again:2
assert_eq 'localhost/again:2 localhost/two:1' "$(tar -xOf names.tar manifest.json | jq -r '.[0].RepoTags|sort|join(" ")')" names
assert_error 125 'docker-archive' minke save -q -m --format oci-dir -o dir "$IMG" localhost/two:1

# by pipe, and the same again changes nothing
ok minke save -q -o one.tar "$IMG"
empty
for archive in one.tar two.tar one.tar two.tar names.tar; do ok minke load -q -i $archive; done
minke load -q <both.tar >/dev/null
assert_eq 2 "$(minke images -q | sort -u | wc -l)" images
assert_eq 3 "$(minke images --format '{{.Repository}}' | wc -l)" names
ok run localhost/again:2 cat /mark
# what is no archive among several leaves the others
echo garbage >bad.tar
expect_exit 125 minke load -q -i bad.tar
ok run "$IMG" true
