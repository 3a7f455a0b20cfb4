#!/bin/bash
# A wrong config.json is refused by its JSON path, a failed step by step, object and reason; nothing is left.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-runtime.sh"

bundle b '.linux.namespaces += [{"type": "foo"}]'
assert_error 1 '^config.json: linux.namespaces\[[0-9]+\].type: unknown namespace "foo"$' rt run --bundle "$T/b" c
bundle b2 '.process.capabilities.bounding += ["CAP_FLY"]'
assert_error 1 'process.capabilities.bounding\[[0-9]+\]: unknown capability "CAP_FLY"' rt run --bundle "$T/b2" c
bundle b3 '.mounts += [{"destination": "/mnt", "type": "bind", "source": "/no/such", "options": ["rbind"]}]'
assert_error 1 '^bind /no/such on /mnt: open source: No such file or directory$' rt run --bundle "$T/b3" c
rt --log "$T/log" --log-format json run --bundle "$T/b3" c 2>/dev/null && fail 'it ran'
assert_eq error "$(jq -r .level "$T/log")"
assert_match 'bind /no/such' "$(jq -r .msg "$T/log")"
assert_error 1 'invalid container id' rt run --bundle "$T/b" ../c
assert_error 1 'unknown option --nosuch' rt run --nosuch c
ok rt list -q
assert_eq '' "$out"
