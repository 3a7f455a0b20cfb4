#!/bin/bash
# An import killed at any step changed nothing, or is finished by whoever uses the volume next.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'no failpoints'
need_image

mkdir -p s/sub
for i in 1 2 3 4; do echo "new $i" >"s/f$i"; echo "new $i" >"s/sub/g$i"; done
tar -C s --owner=0 --group=0 -cf a.tar .
state() { run -v v:/d "$IMG" sh -c 'cat /d/f1 /d/sub/g4; cat /d/kept; stat -c %a /d/sub; cat /d/link/in'; }
fill='mkdir -p /d/sub /d/real; chmod 750 /d/sub; echo old >/d/f1; echo old >/d/sub/g4; echo kept >/d/kept; echo in >/d/real/in; ln -s real /d/link'
old=$'old\nold\nkept\n750\nin' new=$'new 1\nnew 4\nkept\n755\nin'
for step in 1 2 3; do
  ok run -v v:/d "$IMG" sh -c "$fill"
  expect_exit 137 env MINKE_FAILPOINT=engine.volume-import:$step "$MINKE" "${engine_options[@]}" volume import v a.tar
  if [ $step = 1 ]; then assert_eq "$old" "$(state)"; else assert_eq "$new" "$(state)" "after step $step"; fi
  ok minke volume import v a.tar
  assert_eq "$new" "$(state)"
  ok minke volume rm v
done
# below a link, where the archive names only what is in it
ok run -v v:/d "$IMG" sh -c "$fill"
mkdir -p l/link
echo through >l/link/x
tar -C l --owner=0 --group=0 -cf l.tar link/x
ok minke volume import v l.tar
assert_eq through "$(run -v v:/d "$IMG" sh -c 'cat /d/real/x')"
assert_eq "$old" "$(state)"
# cut off in the middle of the archive
head -c 3000 a.tar >half.tar
expect_exit 125 minke volume import v half.tar
assert_eq "$old" "$(state)"
ok minke system check
assert_eq '' "$(ls "$T/r/staging")"
