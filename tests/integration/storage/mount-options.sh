#!/bin/bash
# --mount: bind, volume, tmpfs with their options; faults are named.
. "$(dirname "$0")/../../lib.sh"
need_image
mkdir d; echo host >d/f

ok run --mount "type=bind,source=$T/d,target=/m,readonly" "$IMG" cat /m/f
assert_eq host "$out"
expect_exit 1 run --mount "type=bind,src=$T/d,dst=/m,ro=true" "$IMG" touch /m/x
probe mounts -- --mount type=tmpfs,destination=/t,tmpfs-size=2m,tmpfs-mode=700
assert_match 'size=2048k' "$(field "$out" '.mounts[] | select(.target == "/t") | .super')"
ok run --mount type=volume,source=vol,target=/v "$IMG" touch /v/x
ok run -v vol:/v "$IMG" test -e /v/x
expect_exit 125 run --mount type=nosuch,target=/x "$IMG" true
expect_exit 125 run --mount type=bind,source=/etc "$IMG" true
expect_exit 125 run --mount "type=bind,source=$T/d,target=/m,no-such=1" "$IMG" true
