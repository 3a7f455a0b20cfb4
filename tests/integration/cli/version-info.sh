#!/bin/bash
# version and info, plain and by template.
. "$(dirname "$0")/../../lib.sh"
ok minke version --format '{{.Client.Version}}'
assert_match '^[0-9]+\.[0-9]+\.[0-9]+' "$out"
ok minke --version
assert_match "version [0-9]+\." "$out"
ok minke info --format '{{.Store.GraphRoot}}'
assert_eq "$T/r" "$out"
ok minke info --format json
assert_match '^[0-9]+$' "$(field "$out" '.host.cpus')"
