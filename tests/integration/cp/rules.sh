#!/bin/bash
# cp: what the paths mean: existing folders, new names, "/.", files onto folders, links at the ends.
. "$(dirname "$0")/../../lib.sh"
need_image
mkdir -p h/src/sub h/dir
echo 1 >h/src/f1
echo 2 >h/src/sub/f2
ln -s src h/lsrc
start --name c "$IMG" sleep 1000 >/dev/null
tree_of() { minke exec c find "$1" | sort | tr '\n' ' '; }
ok minke exec c sh -c 'mkdir /w /d; echo x >/d/f; ln -s f /d/l; ln -s /etc /le; ln -s /nosuch /dang; ln -s ../../../../etc/passwd /rel'
ok minke cp h/src c:/w2
assert_eq '/w2 /w2/f1 /w2/sub /w2/sub/f2 ' "$(tree_of /w2)" 'a new name'
ok minke cp h/src c:/w
assert_eq '/w /w/src /w/src/f1 /w/src/sub /w/src/sub/f2 ' "$(tree_of /w)" 'into a folder'
ok minke cp h/src/. c:/w3
assert_eq '/w3 /w3/f1 /w3/sub /w3/sub/f2 ' "$(tree_of /w3)" 'contents under a new name'
ok minke cp h/src/. c:/w3
ok minke cp h/src/ c:/w3/sub
assert_match '/w3/sub/src/f1' "$(tree_of /w3)"
ok minke cp h/lsrc c:/w
assert_match '/w/lsrc/f1' "$(tree_of /w)" 'a link is followed, and keeps its name'
ok minke cp h/src/f1 c:/w/g
ok minke cp h/src/f1 c:w
assert_match '/w/f1 /w/g ' "$(tree_of /w)"
ok minke cp c:/d/l h/ll
assert_eq x "$(cat h/ll)" 'a link at the end'
[ ! -L h/ll ] || fail 'the link itself was copied'
ok minke cp c:/le h/dir
[ -f h/dir/etc/passwd ] || fail 'a folder by a link has the name of the folder'
ok minke cp c:/rel h/rel
assert_eq "$(minke exec c cat /etc/passwd)" "$(cat h/rel)" 'a link upwards stays inside'
ok minke cp h/src/f1 c:/dang
ok minke exec c cat /nosuch
assert_eq 1 "$out" 'through a link without a target'
ok minke cp c:/d h
ok minke cp c:/d/. h/newd
assert_eq 'f l ' "$(find h/newd -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tr '\n' ' ')"
ok minke cp c:/ h/all
if [ ! -d h/all/etc ] || [ -e h/all/proc ]; then fail 'the whole root, without what the kernel shows'; fi
assert_error 125 '"/nosuch-dir/x" could not be found on container c: no such file or directory' minke cp h/src/f1 c:/nosuch-dir/x
assert_error 125 '"/w/new/" could not be found on container c' minke cp h/src c:/w/new/
assert_error 125 '"h/no" could not be found on the host: no such file or directory' minke cp h/no c:/w
assert_error 125 '"/no" could not be found on container c: no such file or directory' minke cp c:/no h
assert_error 125 '"h/no/x" could not be found on the host' minke cp c:/d/f h/no/x
assert_error 125 '"/d/\*" could not be found on container c' minke cp 'c:/d/*' h
assert_error 125 'container "nosuch" does not exist' minke cp nosuch:/x h
assert_error 125 'invalid arguments "c:/d/f", "": you must specify paths' minke cp c:/d/f ''
assert_error 125 'destination must be a directory when copying a directory' minke cp c:/d h/ll
assert_error 125 'must be a directory or a regular file' minke cp c:/d/f /dev/null
mkdir -p h/t/f
expect_exit 125 minke cp c:/d/. h/t
ok minke cp --overwrite c:/d/. h/t
assert_eq x "$(cat h/t/f)"
