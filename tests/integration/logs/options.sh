#!/bin/bash
# logs --tail, --since, --timestamps, and both streams where they belong.
. "$(dirname "$0")/../../lib.sh"
need_image
ok minke run --name c --network none "$IMG" sh -c 'for i in 1 2 3 4 5; do echo l$i; done; echo e >&2'

ok minke logs c
assert_eq $'l1\nl2\nl3\nl4\nl5' "$out"
assert_eq e "$err"
ok minke logs --tail 2 c
assert_match 'l5' "$out"
assert_no_match 'l1|l2|l3' "$out"
ok minke logs -t --tail 6 c
assert_match '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+[-+Z][0-9:]* l1' "$out"
ok minke logs --since 1h c
assert_match l1 "$out"
ok minke logs --until 2001-01-01T00:00:00Z c
assert_eq '' "$out"
expect_exit 125 minke logs no-such
