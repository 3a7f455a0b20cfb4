#!/bin/bash
# Folders with the wrong modes: one line that names the folder; mended by hand or by system check.
# needs: user
. "$(dirname "$0")/../../lib.sh"
need_image

ok minke create --name c --network none "$IMG" echo fine
for folder in containers names images; do
  chmod 0 "$T/r/$folder"
  rc=0; minke create --name d --network none "$IMG" true >"$T/out" 2>"$T/err" || rc=$?
  chmod 700 "$T/r/$folder"
  if [ $rc = 0 ]; then minke rm d >/dev/null; continue; fi  # root of a user namespace may pass
  [ "$(wc -l <"$T/err")" = 1 ] || fail "$(cat "$T/err")"
  grep -q "$folder.*Permission denied" "$T/err" || fail "$(cat "$T/err")"
done
chmod 755 "$T/r"
assert_error 125 'damage detected' minke system check
assert_match 'others may read' "$out"
ok minke system check --repair
assert_eq 700 "$(stat -c %a "$T/r")"
ok minke start -a c
assert_eq fine "$out"
