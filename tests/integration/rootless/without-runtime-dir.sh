#!/bin/bash
# Without XDG_RUNTIME_DIR, as under su or cron, it works all the same.
# needs: user
. "$(dirname "$0")/../../lib.sh"
need_image
unset XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS

ok run "$IMG" echo works
assert_eq works "$out"
