#!/bin/bash
# restart runs the same container again: same id, files kept, tmpfs new.
. "$(dirname "$0")/../../lib.sh"
need_image
id=$(start --name c --tmpfs /scratch "$IMG" sh -c 'ls /scratch; echo x >>/count; echo x >/scratch/f; sleep 100')
within 20 minke exec c test -e /scratch/f

ok minke restart -t 0 c
within 20 minke exec c test -e /scratch/f
assert_eq 2 "$(minke exec c sh -c 'wc -l </count' | tr -d ' ')"
assert_eq "$id running" "$(minke inspect --format '{{.Id}} {{.State.Status}}' c)"
assert_eq '' "$(minke logs c)"
