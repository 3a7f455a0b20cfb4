#!/bin/bash
# After a reboot (the run folder is gone) nothing counts as running, and everything starts.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'a matter of files of minke'
need_image
minke create --name c --network none -v v:/v "$IMG" sh -c 'echo again >>/v/count' >/dev/null
ok minke start -a c

rm -rf "$T/u"
assert_match '^(exited|created)$' "$(state_of c)"
ok minke start -a c
ok run -v v:/v "$IMG" wc -l /v/count
assert_eq '2 /v/count' "$out"
