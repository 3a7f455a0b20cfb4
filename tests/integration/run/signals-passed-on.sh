#!/bin/bash
# A signal to the run command reaches the container; its exit code comes back.
. "$(dirname "$0")/../../lib.sh"
need_image
background run --rm --name c --network none "$IMG" probe trap 12 >out.txt
within 30 grep -q ready out.txt

kill -USR1 "$client"
within 30 grep -q 'signal 10' out.txt
kill -USR2 "$client"
wait "$client" || fail "exit code $?"
assert_eq $'ready\nsignal 10\nsignal 12' "$(cat out.txt)"
