#!/bin/bash
# --log-driver journald: the journal keeps the lines, and logs reads them back, streams apart.
. "$(dirname "$0")/../../lib.sh"
[ -S /run/systemd/journal/socket ] || skip 'no systemd-journald here'
need_image

ok minke run --name j --network none --log-driver journald "$IMG" sh -c 'echo one; echo two >&2; printf three'
within 30 eval 'minke logs j 2>&1 | grep -q three'
ok minke logs j
assert_eq $'one\nthree' "$out"
assert_eq two "$err"
ok minke run --name k --network none --log-driver journald "$IMG" sh -c 'echo one; echo two; echo three'
within 30 eval 'minke logs k | grep -q three'
ok minke logs --tail 1 k
assert_eq three "$out"
ok minke logs --tail 2 k
assert_eq $'two\nthree' "$out"
ok minke logs -t j
assert_match '^20[0-9-]+T[^ ]+ one' "$out"
if is_root && command -v journalctl >/dev/null; then
  ok journalctl -o cat "CONTAINER_NAME=j" "CONTAINER_ID_FULL=$(minke inspect --format '{{.Id}}' j)"
  assert_match 'two' "$out"
fi
# the reader follows a live one and ends with it
start --name live --log-driver journald "$IMG" sh -c 'echo a; sleep 1; echo b' >/dev/null
ok minke logs -f live
assert_eq $'a\nb' "$out"
