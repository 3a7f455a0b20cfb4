#!/bin/bash
# -v SOURCE:DEST:O: changes are seen inside and are gone afterwards; upperdir and workdir keep them.
. "$(dirname "$0")/../../lib.sh"
need_image

mkdir -p "$T/s/dir" && echo old >"$T/s/f"
chmod -R go+rX "$T/s"
ok start --name c -v "$T/s:/d:O" "$IMG" sh -c 'cat /d/f; echo new >/d/f; rm -r /d/dir; touch /d/g; ls /d; exec sleep 1000'
within 20 eval 'minke logs c | grep -q g'
assert_eq $'old\nf\ng' "$(minke logs c)"
assert_eq "dir f old" "$(find "$T/s" -mindepth 1 -printf "%f\n" | sort | paste -sd" ") $(cat "$T/s/f")"
ok minke restart -t 0 c
within 20 eval '[ "$(minke logs c | wc -l)" = 6 ]'
assert_eq $'old\nf\ng' "$(minke logs c | tail -3)" 'after a restart all is as at first'
ok minke rm -f -t 0 c

ok run -v v:/d "$IMG" sh -c 'echo kept >/d/f'
ok run -v v:/d:O "$IMG" sh -c 'cat /d/f; echo changed >/d/f'
assert_eq kept "$out"
ok run -v v:/d "$IMG" cat /d/f
assert_eq kept "$out"

mkdir -p "$T/up" "$T/work"
ok run -v "$T/s:/d:O,upperdir=$T/up,workdir=$T/work" "$IMG" sh -c 'echo new >/d/f'
assert_eq new "$(cat "$T/up/f")"
ok run --mount "type=bind,src=$T/s,dst=/d,O,upperdir=$T/up,workdir=$T/work" "$IMG" cat /d/f
assert_eq new "$out"
assert_eq old "$(cat "$T/s/f")"
for options in O,ro idmap,O; do
  assert_error 125 "can't use 'O' with other options" run -v "$T/s:/d:$options" "$IMG" true
done
assert_error 125 'must specify both upperdir and workdir' run -v "$T/s:/d:O,upperdir=$T/up" "$IMG" true
assert_error 125 'need the option O' run -v "$T/s:/d:upperdir=$T/up,workdir=$T/work" "$IMG" true
minke unshare rm -rf "$T/work" "$T/up" 2>/dev/null || rm -rf "$T/work" "$T/up"
