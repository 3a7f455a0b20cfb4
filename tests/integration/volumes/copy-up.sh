#!/bin/bash
# An empty new volume gets what the image has there, once; nocopy leaves it empty.
. "$(dirname "$0")/../../lib.sh"
need_image

ok run -v v:/var/data "$IMG" cat /var/data/seed
assert_eq 'from the image' "$out"
ok run -v v:/var/data "$IMG" rm /var/data/seed
ok run -v v:/var/data "$IMG" ls -A /var/data
assert_eq '' "$out"
ok run -v w:/var/data:nocopy "$IMG" ls -A /var/data
assert_eq '' "$out"
