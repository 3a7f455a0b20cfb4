#!/bin/bash
# --mount of type image, glob, ramfs and devpts.
. "$(dirname "$0")/../../lib.sh"
need_image

ok run --mount "type=image,src=$IMG,dst=/i" "$IMG" sh -c 'test -x /i/bin/busybox && ! touch /i/x 2>/dev/null && echo fine'
assert_eq fine "$out"
ok run --mount "type=image,src=$IMG,dst=/i,rw=true" "$IMG" sh -c 'touch /i/x && rm /i/bin/busybox && ls /i/x'
assert_eq /i/x "$out"
minke create --name c --network none --mount "type=image,src=$IMG,dst=/i,rw" "$IMG" sh -c 'ls /i/left; touch /i/left' >/dev/null
ok minke start -a c
ok minke start -a c
assert_match 'No such file' "$err" 'changes last as long as the run'
# several layers, what the upper one removes is not there
mkdir -p l1/d l2/d
echo one >l1/d/one; echo both >l1/d/gone; echo two >l2/d/two; : >l2/d/.wh.gone
make_image many.tar localhost/many '{}' "$PWD/l1" "$PWD/l2"
ok minke load -q -i many.tar
ok run --mount type=image,src=localhost/many,dst=/i "$IMG" sh -c 'ls /i/d; ! touch /i/d/x 2>/dev/null'
assert_eq $'one\ntwo' "$out"
ok run --mount type=image,src=localhost/many,dst=/i,rw=true "$IMG" sh -c 'touch /i/d/x; ls /i/d'
assert_eq $'one\ntwo\nx' "$out"
make_image one.tar localhost/one '{}' "$PWD/l1"
ok minke load -q -i one.tar
ok run --mount type=image,src=localhost/one,dst=/i,subpath=/d "$IMG" sh -c 'ls /i; ! touch /i/x 2>/dev/null'
assert_eq $'gone\none' "$out"
assert_error 125 'subpath of an image is supported read-only' minke create --mount type=image,src=localhost/many,dst=/i,subpath=/d "$IMG"
# it is in use
ok minke create --name u --mount type=image,src=localhost/many,dst=/i "$IMG" true
assert_error 2 'in use by a container' minke rmi localhost/many
assert_eq image "$(minke inspect u | jq -r '.[0].Mounts[0].Type')"
ok minke rm u
ok minke rmi localhost/many
assert_error 125 'image not known' minke create --mount type=image,src=localhost/nosuch,dst=/i "$IMG"

mkdir g
echo 1 >g/a1; echo 2 >g/a2; echo 3 >g/b
ok run --mount "type=glob,src=$PWD/g/a*,dst=/t,ro" "$IMG" sh -c 'cat /t/*; ls /t; ! echo x >/t/a1 2>/dev/null'
assert_eq $'1\n2\na1\na2' "$out"
ok run --mount "type=glob,src=$PWD/g/a*" "$IMG" cat "$PWD/g/a2"
assert_eq 2 "$out"
assert_error 125 'no file paths matching glob' minke create --mount "type=glob,src=$PWD/nosuch*,dst=/t" "$IMG"

ok run --mount type=ramfs,dst=/r,tmpfs-mode=700 "$IMG" sh -c 'echo x >/r/f; stat -c %a /r; grep " /r " /proc/mounts'
assert_match $'700\nramfs /r ramfs ' "$out"
assert_error 125 'tmpfs-size: invalid mount option' minke create --mount type=ramfs,dst=/r,tmpfs-size=1m "$IMG"
ok run --mount type=devpts,dst=/p,max=3 "$IMG" grep ' /p devpts ' /proc/mounts
assert_match 'max=3' "$out"
