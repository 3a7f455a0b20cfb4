#!/bin/bash
# type=tmpfs: mounted inside of the container alone, begins with the image's files; nothing on the host.
. "$(dirname "$0")/../../lib.sh"
need_image

ok minke volume create -o type=tmpfs -o o=size=1m,mode=0750,noexec t
ok run -v t:/etc "$IMG" sh -c 'grep " /etc " /proc/self/mountinfo; stat -c %a /etc; ls /etc | wc -l'
assert_match ' /etc .*noexec.* - tmpfs .*size=1024k' "$out"
ok run -v t:/data "$IMG" sh -c 'echo x >/data/f; cat /data/f'
assert_eq x "$out"
expect_exit 1 run -v t:/data "$IMG" sh -c 'dd if=/dev/zero of=/data/f bs=64k count=32 2>/dev/null'
assert_eq '' "$(ls -A "$T/r/volumes/t/_data" 2>/dev/null || minke unshare ls -A "$T/r/volumes/t/_data")" 'left on the host'
ok minke volume inspect t
assert_eq 'tmpfs size=1m,mode=0750,noexec' "$(field "$out" '.[0].Options|"\(.type) \(.o)"')"
assert_error 125 'mounted inside of containers only' minke volume export t -o "$T/e.tar"
assert_error 125 'O, U and subpath are not supported' run -v t:/data:U "$IMG" true

# The same by --mount, made with the container.
ok run --mount type=volume,src=n,dst=/data,volume-opt=type=tmpfs,volume-opt=o=size=2m "$IMG" grep ' /data ' /proc/self/mountinfo
assert_match 'size=2048k' "$out"
ok minke volume inspect -f '{{.Options.type}}' n
assert_eq tmpfs "$out"
ok run --mount type=volume,dst=/data,volume-opt=type=tmpfs "$IMG" grep ' /data ' /proc/self/mountinfo
assert_match ' - tmpfs ' "$out"

assert_error 125 'volume options size and inodes not supported' minke volume create -o o=size=1m q
