#!/bin/bash
# subpath shows a part of a volume; links in it never lead out of the volume, whatever a container makes of them.
. "$(dirname "$0")/../../lib.sh"
need_image

ok run -v v:/d "$IMG" sh -c 'mkdir -p /d/a/b; echo inside >/d/a/b/f; mkdir /d/etc; echo volume >/d/etc/hostname;
  ln -s /etc /d/host; ln -s ../../../../../../etc /d/up; echo file >/d/plain'
ok run --mount type=volume,src=v,dst=/x,subpath=a/b "$IMG" cat /x/f
assert_eq inside "$out"
ok run --mount type=volume,src=v,dst=/x/plain,volume-subpath=plain "$IMG" cat /x/plain
assert_eq file "$out"
# A link means what it means inside of the volume.
for link in host up; do
  ok run --mount type=volume,src=v,dst=/x,subpath=$link "$IMG" cat /x/hostname
  assert_eq volume "$out" "$link"
done
assert_error 125 'No such file or directory' run --mount type=volume,src=v,dst=/x,subpath=none "$IMG" true
assert_error 125 'must be a path below the volume' run --mount type=volume,src=v,dst=/x,subpath=../x "$IMG" true
assert_error 125 'must be a path below the volume' run --mount type=volume,src=v,dst=/x,subpath=/etc "$IMG" true
