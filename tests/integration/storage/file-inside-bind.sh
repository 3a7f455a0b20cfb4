#!/bin/bash
# A file may be bound inside another bind, in any order of the options; a file's bind on a link of the image lands where it points.
. "$(dirname "$0")/../../lib.sh"
mkdir -p l/etc l/usr/share/zoneinfo d/sub
echo utc >l/usr/share/zoneinfo/UTC
ln -s /usr/share/zoneinfo/UTC l/etc/localtime
echo outer >d/sub/f; echo other >d/g; echo inner >file
busybox_image i.tar localhost/links:latest '{"Env":["PATH=/bin"]}' l
ok minke load -q -i i.tar

for order in "-v $T/d:/config -v $T/file:/config/sub/f:ro" "-v $T/file:/config/sub/f:ro -v $T/d:/config"; do
  # shellcheck disable=SC2086 # options
  ok run $order localhost/links:latest sh -c 'cat /config/sub/f /config/g; echo x 2>/dev/null >/config/sub/f || echo read-only'
  assert_eq $'inner\nother\nread-only' "$out"
done
assert_eq outer "$(cat d/sub/f)"
ok run -v "$T/file:/etc/localtime:ro" localhost/links:latest sh -c 'cat /etc/localtime /usr/share/zoneinfo/UTC; readlink /etc/localtime'
assert_eq $'inner\ninner\n/usr/share/zoneinfo/UTC' "$out"
