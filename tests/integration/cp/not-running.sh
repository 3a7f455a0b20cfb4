#!/bin/bash
# cp with created and stopped containers: their own files, volumes and binds, read-only ones respected.
. "$(dirname "$0")/../../lib.sh"
need_image
mkdir bind ro
echo b >bind/file
echo r >ro/file
minke volume create v >/dev/null
minke create --name c --network none -v v:/data/deep -v "$T/bind:/b" -v "$T/ro:/ro:ro" "$IMG" cat /data/deep/f /b/g /tmp/h >/dev/null
echo new >f
ok minke cp f c:/data/deep/f
ok minke cp f c:/b/g
ok minke cp f c:/tmp/h
assert_eq new "$(cat bind/g)"
expect_exit 125 minke cp f c:/ro/x
ok minke cp c:/data/deep/f back
assert_eq new "$(cat back)"
ok minke cp c:/ro/file back
assert_eq r "$(cat back)"
ok minke start -a c
assert_eq 'new
new
new' "$out"
ok minke cp c:/data/deep/f back2
echo again | tee f >/dev/null
ok minke cp f c:/tmp/h
ok minke cp c:/tmp/h back3
assert_eq again "$(cat back3)"
minke cp c:/tmp/h - | tar xOf - >back4
assert_eq again "$(cat back4)"
tar -cf - f | minke cp - c:/tmp
ok minke cp c:/tmp/f back5
# a pipe from a stopped container to itself does not wait for itself
minke cp c:/etc - | timeout 60 "$MINKE" "${engine_options[@]}" cp - c:/tmp
ok minke cp c:/tmp/etc/passwd back6
