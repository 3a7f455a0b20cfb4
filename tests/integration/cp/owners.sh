#!/bin/bash
# cp: owners, modes, times, links and hard links; between containers; --archive=false.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name a --user 1234:2345 "$IMG" sleep 1000 >/dev/null
start --name b "$IMG" sleep 1000 >/dev/null
ok minke exec -u 0 a sh -c 'mkdir /d; echo x >/d/f; chown 77:88 /d/f; chmod 4755 /d/f; chmod 750 /d; ln -s f /d/l; ln /d/f /d/hard
  mkfifo /d/p; touch -d "2020-01-01 00:00:00" /d/f /d'
me=$(id -u):$(id -g)
ok minke cp a:/d out
assert_eq "$me 750 2020-01-01" "$(stat -c '%u:%g %a %y' out | cut -c1-$((${#me} + 15)))"
assert_eq "$me 4755 2" "$(stat -c '%u:%g %a %h' out/f)"
assert_eq f "$(readlink out/l)"
[ -p out/p ] || fail 'no fifo'
minke cp a:/d - | tar tvf - --numeric-owner >list
assert_eq 5 "$(grep -c ' 1234/2345 ' list)"
assert_match 'd/hard link to d/f' "$(cat list)"
minke cp a:/d/. - | tar tf - >list
assert_eq 'f hard l p' "$(sort list | tr '\n' ' ' | sed 's/ $//')"
ok minke cp a:/d b:/x
ok minke exec b stat -c '%u:%g %a' /x /x/f
assert_eq '0:0 750
0:0 4755' "$out"
ok minke cp -a=false a:/d b:/y
ok minke exec b stat -c %u:%g /y/f
assert_eq 1234:2345 "$out"
echo host >hf
ok minke cp hf a:/tmp/hf
ok minke exec a stat -c %u:%g /tmp/hf
assert_eq 1234:2345 "$out"
if is_root; then
  chown 5:6 hf
  ok minke cp -a=false hf a:/tmp/hf2
  ok minke exec a stat -c %u:%g /tmp/hf2
  assert_eq 5:6 "$out"
fi
for packed in -cf -czf -cJf; do
  tar $packed - hf | minke cp - a:/tmp
done
ok minke exec a stat -c %u:%g /tmp/hf
assert_eq 1234:2345 "$out"
expect_exit 125 minke cp - a:/tmp/hf
assert_match 'destination must be a directory when copying from stdin' "$err"
echo garbage | minke cp - a:/tmp 2>msg && fail 'garbage was taken'
assert_match 'source must be a \(compressed\) tar archive' "$(cat msg)"
