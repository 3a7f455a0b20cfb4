#!/bin/bash
# --timeout ends the container by force.
. "$(dirname "$0")/../../lib.sh"
need_image

began=$SECONDS
expect_exit 255 run --timeout 2 "$IMG" sleep 100
[ $((SECONDS - began)) -lt 60 ] || fail 'too late'
