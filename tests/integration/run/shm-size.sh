#!/bin/bash
# /dev/shm is 65536k (Podman counts thousands), or --shm-size.
. "$(dirname "$0")/../../lib.sh"
need_image

probe mounts --
assert_match 'size=6(4000|5536)k' "$(field "$out" '.mounts[] | select(.target == "/dev/shm") | .super')"
probe mounts -- --shm-size 2m
assert_match 'size=2048k' "$(field "$out" '.mounts[] | select(.target == "/dev/shm") | .super')"
