#!/bin/bash
# /etc/mtab leads to the mounts where the image has none; the image's own stays, and a host's folder gets none.
. "$(dirname "$0")/../../lib.sh"
need_image
mkdir -p l/etc d
echo mine >l/etc/mtab
busybox_image i.tar localhost/mtab:latest '{"Env":["PATH=/bin"]}' l
ok minke load -q -i i.tar

ok run "$IMG" sh -c 'readlink /etc/mtab; grep -c " / " /etc/mtab'
assert_eq $'/proc/mounts\n1' "$out"
ok run --read-only "$IMG" readlink /etc/mtab
assert_eq /proc/mounts "$out"
ok run localhost/mtab:latest cat /etc/mtab
assert_eq mine "$out"
ok run --no-hosts --no-hostname -v "$T/d:/etc" "$IMG" true
[ ! -L d/mtab ] || fail 'made in a folder of the host'
id=$(start "$IMG" true)
ok minke wait "$id"
ok minke diff "$id"
assert_no_match mtab "$out" 'no change of the user'
if is_root && ! is_podman && command -v crun >/dev/null; then
  ok minke --runtime crun run --rm --network none "$IMG" readlink /etc/mtab
  assert_eq /proc/mounts "$out" 'below another runtime'
fi
