#!/bin/bash
# A container that is mounted can start, end and be started anew by its policy: all see the same files.
# needs: root
. "$(dirname "$0")/../../lib.sh"
need_image

overlays() { awk -v t=" $T/r" '$0 ~ " - overlay " && index($0, "upperdir=" substr(t, 2))' /proc/self/mountinfo | wc -l; }
minke create --name c --network none --restart always "$IMG" sh -c 'cat /from-mount >>/seen 2>/dev/null; sleep 1000' >/dev/null
m=$(minke mount c)
echo before >"$m/from-mount"
ok minke start c
within 20 grep -q before "$m/seen"
assert_eq "$(stat -c %d "$m")" "$(minke exec c stat -c %d /)" 'one file system'
# setuid programs and devices work in the container as always
assert_no_match '(nosuid|nodev)' "$(minke exec c grep ' / / ' /proc/self/mountinfo | cut -d' ' -f6)"
echo again >"$m/from-mount"
kill -KILL "$(minke inspect --format '{{.State.Pid}}' c)"
within 30 eval '[ "$(minke inspect --format "{{.RestartCount}} {{.State.Status}}" c)" = "1 running" ]'
within 20 grep -q again "$m/seen"
assert_eq "$(stat -c %d "$m")" "$(minke exec c stat -c %d /)" 'one file system after the restart'
# mounted while it runs, and then restarted
ok minke unmount c
m=$(minke mount c)
echo third >"$m/from-mount"
kill -KILL "$(minke inspect --format '{{.State.Pid}}' c)"
within 30 eval '[ "$(minke inspect --format "{{.RestartCount}} {{.State.Status}}" c)" = "2 running" ]'
within 20 eval 'minke exec c grep -q third /seen'
ok minke stop -t 0 c
assert_match third "$(cat "$m/seen")"
ok minke rm c
