#!/bin/bash
# --volumepath: volumes lie there, also on another file system, and a container's end takes its anonymous ones from there.
. "$(dirname "$0")/../../lib.sh"
need_image
place=$T/elsewhere
[ ! -d /dev/shm ] || { place=$(mktemp -d /dev/shm/minke-volumes.XXXXXX) && trap 'rc=$?; rm -rf "$place"; (exit $rc); cleanup' EXIT; }
here() { minke --volumepath "$place" "$@"; }
ok here volume create v
assert_eq "$place/v/_data" "$(here volume inspect --format '{{.Mountpoint}}' v)"
assert_eq "$place" "$(here info --format '{{.Store.VolumePath}}')"
ok here run --rm --network none -v v:/data "$IMG" sh -c 'echo kept >/data/file'
assert_eq kept "$(cat "$place/v/_data/file")"
assert_eq '' "$(minke volume ls -q)"
assert_error 125 'no such volume' minke volume inspect v
assert_eq v "$(here volume ls -q)"
# The clean-up of one that nobody waits for knows the place too.
ok here run -d --rm --name c --network none -v /scratch "$IMG" sleep 1000
assert_eq 2 "$(here volume ls -q | wc -l)"
kill -9 "$(here inspect --format '{{.State.Pid}}' c)"
within 30 eval '[ "$(here volume ls -q)" = v ]'
ok here volume rm v
assert_eq '' "$(ls -A "$place")"
# Relative ones are the caller's.
cd "$T" || exit 1
ok minke --volumepath near volume create w
[ -d "$T/near/w/_data" ] || fail 'not below the working directory'
ok here volume create x
touch "$place/foreign"
ok here system reset -f
assert_eq foreign "$(ls -A "$place")"
