#!/bin/bash
# --volumes-from takes over another container's volumes.
. "$(dirname "$0")/../../lib.sh"
need_image
minke create --name a -v shared:/s -v "$T:/bind:ro" "$IMG" true >/dev/null

ok run --volumes-from a "$IMG" sh -c 'touch /s/x; ls -d /bind/.out'
ok run -v shared:/t "$IMG" test -e /t/x
