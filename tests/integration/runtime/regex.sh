#!/bin/bash
# kill and delete --regex mean every container whose id matches.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-runtime.sh"
bundle b '.process.args = ["sleep", "1000"] | del(.linux.cgroupsPath)'
for id in web1 web2 db; do ok rt run -d --bundle "$T/b" $id </dev/null; done
status() { rt state "$1" | jq -r .status; }
ok rt kill --regex '^web' KILL
within 20 eval '[ "$(status web1) $(status web2)" = "stopped stopped" ]'
assert_eq running "$(status db)"
ok rt kill --regex '^web' KILL
ok rt delete --regex 'web[0-9]'
assert_eq db "$(rt list -q)"
assert_error 1 'invalid regular expression' rt kill --regex '(' KILL
assert_error 1 'not stopped' rt delete --regex .
ok rt delete --force --regex .
assert_eq '' "$(rt list -q)"
