#!/bin/bash
# volume import: plain and compressed archives, merged into what is there; names that mean something in layers mean nothing here.
. "$(dirname "$0")/../../lib.sh"
need_image

mkdir -p "$T/s/sub"; echo new >"$T/s/f"; echo deep >"$T/s/sub/g"; echo name >"$T/s/.wh.kept"; ln -s f "$T/s/l"; ln "$T/s/f" "$T/s/h"
tar -C "$T/s" --owner=5 --group=6 --numeric-owner -cf "$T/a.tar" .
gzip -k "$T/a.tar"; zstd -q "$T/a.tar" 2>/dev/null || true
ok run -v v:/d "$IMG" sh -c 'echo old >/d/f; echo kept >/d/kept'
ok minke volume import v "$T/a.tar"
ok run -v v:/d "$IMG" sh -c 'cat /d/f /d/sub/g /d/kept /d/.wh.kept; readlink /d/l; stat -c "%u:%g %h" /d/f'
assert_eq $'new\ndeep\nkept\nname\nf\n5:6 2' "$out"
for packed in "$T/a.tar.gz" "$T/a.tar.zst"; do
  [ -e "$packed" ] || continue
  ok minke volume create "w${packed##*.}"
  ok minke volume import "w${packed##*.}" "$packed"
  ok run -v "w${packed##*.}:/d" "$IMG" cat /d/sub/g
  assert_eq deep "$out"
done
ok minke volume create p
minke volume export v | minke volume import p - || fail 'from standard input'
assert_eq "$(minke volume export v | tar -tf - | sort)" "$(minke volume export p | tar -tf - | sort)"
assert_error 125 'no such volume nope' minke volume import nope "$T/a.tar"
assert_error 125 'No such file or directory' minke volume import v "$T/nofile"
assert_error 125 'archive|tar' minke volume import v /bin/true
assert_error 125 'the archive is empty' minke volume import v /dev/null
