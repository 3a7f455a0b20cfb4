#!/bin/bash
# exec --cgroup puts the process into a group below the container's own.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-runtime.sh"
bundle b '.process.args = ["sleep", "1000"] | .linux.resources.pids = {"limit": 100}'
ok rt run -d --bundle "$T/b" c </dev/null
pid=$(rt state c | jq .pid)
path=$(awk -F: '$2 == "pids" || $2 == "" {print $3; exit}' "/proc/$pid/cgroup")
if [ -d "/sys/fs/cgroup/pids$path" ]; then base=/sys/fs/cgroup/pids$path word=pids:sub; else base=/sys/fs/cgroup$path word=sub; fi
assert_error 255 'no cgroup of the container' rt exec --cgroup "$word" c true
assert_error 255 'leads out' rt exec --cgroup ../x c true
mkdir "$base/sub"
ok rt exec -d --cgroup "$word" --pid-file "$T/pid" c sleep 500
assert_match "$path/sub" "$(cat "/proc/$(cat "$T/pid")/cgroup")"
