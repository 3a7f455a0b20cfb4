#!/bin/bash
# /dev/shm is 64 MiB, or --shm-size.
. "$(dirname "$0")/../../lib.sh"
need_image

probe mounts --
assert_match 'size=65536k' "$(field "$out" '.mounts[] | select(.target == "/dev/shm") | .super')"
probe mounts -- --shm-size 2m
assert_match 'size=2048k' "$(field "$out" '.mounts[] | select(.target == "/dev/shm") | .super')"
