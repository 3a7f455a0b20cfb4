#!/bin/bash
# volume export and mount: what is in it as tar, to a file or to standard output.
. "$(dirname "$0")/../../lib.sh"
need_image

ok run -v v:/d "$IMG" sh -c 'mkdir /d/sub; echo x >/d/sub/f; ln -s /etc/passwd /d/l; chown 5:6 /d/sub/f; chmod 640 /d/sub/f'
ok minke volume export -o "$T/v.tar" v
assert_eq 'l sub/ sub/f' "$(tar -tf "$T/v.tar" | sort | xargs)"
assert_match '^-rw-r----- 5/6 ' "$(tar --numeric-owner -tvf "$T/v.tar" sub/f)"
minke volume export v >"$T/w.tar"
assert_eq "$(sha256sum <"$T/v.tar")" "$(sha256sum <"$T/w.tar")"
assert_error 125 'no such volume nope' minke volume export nope -o "$T/e.tar"
assert_error 125 'No such file or directory' minke volume export -o /nonexistent/x v
mkdir "$T/bound"; echo y >"$T/bound/g"
ok minke volume create -o type=none -o o=bind -o "device=$T/bound" b
minke volume export b | tar -tf - | grep -q '^g$' || fail 'device= is not exported'

if is_root; then
  assert_error 125 'no volume with name "nope" found' minke volume mount nope
  ok minke volume mount v
  assert_eq "$T/r/volumes/v/_data" "$out"
  ok minke volume unmount v
  assert_eq v "$out"
else
  assert_error 125 'in rootless mode, must execute' minke volume mount v
  ok minke unshare "$MINKE" "${engine_options[@]}" volume mount v
  assert_eq "$T/r/volumes/v/_data" "$out"
fi
ok minke volume reload
assert_eq '' "$out"
