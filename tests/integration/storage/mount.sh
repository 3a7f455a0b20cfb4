#!/bin/bash
# mount and unmount of containers and images; what is removed takes its mounts along.
# needs: root
. "$(dirname "$0")/../../lib.sh"
need_image
minke create --name c --network none "$IMG" cat /made >/dev/null
ok minke mount c
m=$out
echo x >"$m/made"
assert_eq "$m" "$(minke mount c)"
ok minke mount
assert_match "$m" "$out"
assert_eq "c $m" "$(minke mount --format json | jq -r '.[] | "\(.Names[0]) \(.mountpoint)"')"
ok minke unmount c
[ -e "$m/made" ] || fail 'mounted twice, unmounted once'
ok minke start -a c
assert_eq x "$out"
ok minke umount -a
[ ! -e "$m/made" ] || fail 'still mounted'
ok minke start -a c
assert_eq x "$out"
start --name r "$IMG" sleep 1000 >/dev/null
m=$(minke mount r)
echo y >"$m/seen"
ok minke exec r cat /seen
assert_eq y "$out"
ok minke unmount r
m=$(minke mount c)
ok minke rm c
[ ! -e "$m/made" ] || fail 'rm left the mount'
i=$(minke image mount "$IMG")
[ -x "$i/bin/busybox" ] || fail 'no image'
! touch "$i/x" 2>/dev/null || fail 'an image can be written'
assert_match "$i" "$(minke image mount)"
ok minke image unmount "$IMG"
assert_eq '' "$(minke image mount)"
is_podman && exit 0
for step in engine.mount:1 engine.mount:2; do
  expect_exit 137 env MINKE_FAILPOINT=$step "$MINKE" "${engine_options[@]}" mount r
  ok minke mount r
  ok minke unmount -f r
done
# killed between the unmount and its record: it counts as unmounted, may be mounted again, and removed
for heal in 'mount r' 'unmount r' 'rm -f -t 0 r'; do
  m=$(minke mount r)
  expect_exit 137 env MINKE_FAILPOINT=engine.unmount:1 "$MINKE" "${engine_options[@]}" unmount r
  assert_eq '' "$(minke mount)" 'mounts'
  # shellcheck disable=SC2086 # words
  ok minke $heal
  minke unmount -af >/dev/null
  [ ! -e "${m%/merged}" ] || fail "$heal: the record is left"
done
expect_exit 137 env MINKE_FAILPOINT=engine.mount:2 "$MINKE" "${engine_options[@]}" image mount "$IMG"
ok minke image unmount -a
assert_error 125 'unknown --format argument: "x"' minke mount --format x
