#!/bin/bash
# ps: columns, ids, JSON, templates, the newest ones.
. "$(dirname "$0")/../../lib.sh"
need_image
id=$(start --name web -l a=b "$IMG" sleep 100)
minke create --name plain --network none "$IMG" echo a b c d e f g h >/dev/null
expect_exit 3 minke run --name gone --network none "$IMG" sh -c 'exit 3'

ok minke ps
assert_match '^CONTAINER ID  IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES' "$out"
assert_match "${id:0:12}  $IMG  sleep 100 +.* ago +Up .* ago +web" "$out"
assert_no_match 'plain|gone' "$out"
ok minke ps -a --noheading
assert_match 'echo a b c d e f \.\.\. .*Created +plain' "$out"
assert_match 'Exited \(3\) .* ago +gone' "$out"
assert_no_match 'CONTAINER' "$out"
ok minke ps -q --no-trunc
assert_eq "$id" "$out"
ok minke ps -q --last 2 --format '{{.Names}}'
assert_eq $'gone\nplain' "$out"
ok minke ps -l --format '{{.Names}} {{.ExitCode}} {{.State}}'
assert_eq 'gone 3 exited' "$out"
ok minke ps --format 'table {{.ID}} {{.Names}}'
assert_eq "$(printf 'CONTAINER ID  NAMES\n%s  web' "${id:0:12}")" "$out"
ok minke ps --format '{{.Label "a"}} {{.Labels}} {{.Pod}}'
assert_eq 'b map[a:b] ' "$out"
ok minke ps --format json
assert_match "\"Id\": \"$id\"" "$out"
assert_match '"Names": \[' "$out"
ok minke ps --ns
assert_match 'CGROUPNS +IPC +MNT +NET +PIDNS +USERNS +UTS' "$out"
ok minke ps -s --noheading
assert_match 'B \(virtual [0-9.]+[kM]B\)$' "$out"
ok minke ps -a --sort names --format '{{.Names}}'
assert_eq $'gone\nplain\nweb' "$out"
assert_error 125 'quiet conflicts' minke ps -q -s
assert_error 125 'is not a valid value' minke ps --sort nothing
assert_error 125 "can't evaluate field Nope" minke ps --format '{{.Nope}}'
