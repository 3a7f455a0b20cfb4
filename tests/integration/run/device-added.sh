#!/bin/bash
# --device gives one host device with the rights asked for.
# needs: root
. "$(dirname "$0")/../../lib.sh"
need_image

ok run --device /dev/kmsg:/dev/given:r "$IMG" test -c /dev/given
expect_exit 1 run --device /dev/loop-control:/dev/given:r "$IMG" sh -c 'echo x >/dev/given'
expect_exit 125 run --device /dev/no-such "$IMG" true
