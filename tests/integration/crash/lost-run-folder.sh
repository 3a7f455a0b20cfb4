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

# Lost while it runs: its monitor is named, no second one gets the same files, and with that gone it starts.
minke create --name long --network none "$IMG" sh -c 'echo started >>/starts; cat /starts; exec sleep 1000' >/dev/null
ok minke start long
monitor=$(minke inspect --format '{{.State.ConmonPid}}' long) init=$(minke inspect --format '{{.State.Pid}}' long)
rm -rf "$T/u"
assert_error 125 "runs already.*process $monitor has" minke start long
kill -KILL "$monitor"
ended() { [ ! -e "/proc/$init" ] || grep -q '^State:.Z' "/proc/$init/status"; }
within 20 ended
ok minke start long
within 20 eval '[ "$(minke exec long cat /starts | wc -l)" = 2 ]'
ok minke rm -f -t 0 long
