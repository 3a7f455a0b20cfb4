#!/bin/bash
# --preserve-fds and --preserve-fd hand on what was given to the engine, never what it opened itself.
. "$(dirname "$0")/../../lib.sh"
need_image

echo three >three; echo four >four
exec 3<three 4<four
ok minke run --rm --network none --preserve-fds 2 "$IMG" sh -c 'cat <&3; cat <&4'
assert_eq $'three\nfour' "$out"
for count in 3 4 5 9; do
  assert_error 125 'file descriptor 5 is not available - the preserve-fds option requires' minke run --rm --network none --preserve-fds $count "$IMG" true
done
exec 4<&-
assert_error 125 'file descriptor 4 is not available' minke run --rm --network none --preserve-fds 2 "$IMG" true
start --name c "$IMG" sleep 1000 >/dev/null
exec 3<three # from its beginning again
ok minke exec --preserve-fds 1 c sh -c 'cat <&3'
assert_match three "$out"
assert_error 125 'file descriptor 4 is not available' minke exec --preserve-fds 2 c true
is_podman && exit 0
exec 7<four
ok minke run --rm --network none --preserve-fd 7 "$IMG" sh -c 'cat <&3'
assert_eq four "$out"
assert_error 125 'file descriptor 8 is not available' minke run --rm --network none --preserve-fd 8 "$IMG" true
