#!/bin/bash
# minke container run, ps, rm are run, ps, rm.
. "$(dirname "$0")/../../lib.sh"
need_image

ok minke container run --rm --network none "$IMG" echo x
assert_eq x "$out"
ok minke container create --name c "$IMG" true
ok minke container ls -aq
assert_match '^[0-9a-f]{12}$' "$out"
ok minke container rm c
ok minke image ls -q
assert_match '^[0-9a-f]{12}$' "$out"
