#!/bin/bash
# exec joins a running container as another user, in another folder, with more environment.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-runtime.sh"
bundle b '.process.args = ["sleep", "100"] | .hostname = "box"'

ok rt run -d --bundle "$T/b" c </dev/null
ok rt exec c hostname
assert_eq box "$out"
ok rt exec --cwd /tmp --env A=b c sh -c 'pwd; echo $A; id -u; cat /proc/1/comm'
assert_eq $'/tmp\nb\n0\nsleep' "$out"
expect_exit 7 rt exec c sh -c 'exit 7'
assert_error 255 'executable file `nosuch` not found in \$PATH' rt exec c nosuch
if is_root; then
  ok rt exec --user 1000:7 c id
  assert_match '^uid=1000\(user\) gid=7' "$out"
fi
ok rt exec c ls /proc/self/fd
assert_eq $'0\n1\n2\n3' "$out" 'open descriptors'
jq '.process | .args = ["echo", "from a file"]' "$T/b/config.json" >"$T/process.json"
ok rt exec --process "$T/process.json" c
assert_eq 'from a file' "$out"
ok rt exec -d --pid-file "$T/pid" c sleep 50
kill -0 "$(cat "$T/pid")"
