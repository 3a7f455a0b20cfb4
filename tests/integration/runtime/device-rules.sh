#!/bin/bash
# Device rules hold whoever makes the node: what is not allowed cannot be opened, what is allowed can, only as allowed.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-runtime.sh"
nodes='.linux.devices = [{"path": "/dev/refused", "type": "c", "major": 10, "minor": 229, "fileMode": 438},
  {"path": "/dev/read", "type": "c", "major": 10, "minor": 237, "fileMode": 438}, {"path": "/dev/both", "type": "c", "major": 1, "minor": 3, "fileMode": 438}]'
rules='.linux.resources.devices = [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 10, "minor": 237, "access": "r"},
  {"allow": true, "type": "c", "major": 1, "minor": 3, "access": "rw"}]'
bundle b ".process.args = [\"sleep\", \"1000\"] | $nodes | $rules"
ok rt run -d --bundle "$T/b" c </dev/null
try() { ok rt exec c sh -c "($1) 2>&1 && echo done || true"; }
try 'exec 3<>/dev/both'
assert_eq 'done' "$out" 'allowed'
try 'exec 3</dev/read'
assert_no_match "Operation not permitted" "$out" "allowed to read (there may be no driver)"
try 'exec 3>/dev/read'
assert_match 'Operation not permitted' "$out" 'not allowed to write'
try 'exec 3</dev/refused'
assert_match 'Operation not permitted' "$out" 'not allowed'
