#!/bin/bash
# system prune: containers that ended, unnamed images, with -a unused ones, with --volumes unused volumes.
. "$(dirname "$0")/../../lib.sh"
need_image

mkdir "$T/l"; echo x >"$T/l/f"
busybox_image "$T/i.tar" localhost/child:1 '{}' "$T/l"
ok minke load -q -i "$T/i.tar"
ok start --name up localhost/child:1 sleep 1000
ok minke create --name old --network none -v used:/d "$IMG" true
old=$out
ok minke volume create free
assert_error 125 'foo is an invalid filter' minke system prune -f --filter foo=bar
assert_error 125 EOF minke system prune
assert_match $'WARNING! This command removes:\n\t- all stopped containers\n\t- all networks' "$out"
echo n | minke system prune >"$T/out"
ok minke container exists old
ok minke system prune -f --filter until=1h
assert_eq 'Total reclaimed space: 0B' "$out"
ok minke system prune -f
assert_eq $'Deleted Containers\n'"$old"$'\nTotal reclaimed space: 0B' "$out"
ok minke volume exists used
ok minke image exists "$IMG"
ok minke system prune -f -a --volumes
assert_match $'Deleted Volumes\nfree\nused\nDeleted Images\n[0-9a-f]{64}\nTotal reclaimed space: [0-9.]+[kMG]?B$' "$out"
expect_exit 1 minke image exists "$IMG"
ok minke image exists localhost/child:1
is_running up || fail 'what runs was touched'
assert_error 125 'cannot be combined' minke system prune -f --external -a
head -c 100 /dev/urandom >"$T/r/images/blobs/sha256/$(printf '%064d' 7)"
ok minke system prune -f --external
assert_match '1 blobs and layers' "$out"
ok minke exec up cat /f
