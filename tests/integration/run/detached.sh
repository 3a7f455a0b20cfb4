#!/bin/bash
# -d prints the id and comes back; the container goes on.
. "$(dirname "$0")/../../lib.sh"
need_image

ok start --name bg "$IMG" sh -c 'sleep 2; exit 5'
assert_match '^[0-9a-f]{64}$' "$out"
assert_eq running "$(state_of bg)"
ok minke wait bg
assert_eq 5 "$out"
assert_eq 'exited 5' "$(minke inspect --format '{{.State.Status}} {{.State.ExitCode}}' bg)"
