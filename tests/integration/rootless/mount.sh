#!/bin/bash
# mount works inside of unshare only, and ends with it.
# needs: user
. "$(dirname "$0")/../../lib.sh"
need_image
minke create --name c --network none "$IMG" cat /made >/dev/null
assert_error 125 'in rootless mode, must execute' minke mount c
# shellcheck disable=SC2016 # for the inner shell
ok minke unshare sh -c 'm=$('"$MINKE ${engine_options[*]}"' mount c); echo x >$m/made; ls $m/bin/busybox'
assert_match '/bin/busybox' "$out"
ok minke start -a c
assert_eq x "$out"
