#!/bin/bash
# There is a page for every command; all of them render without a warning.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'pages of our own'
SOURCE_DATE_EPOCH=86400 ok minke generate-man "$T/man"
ok "$BIN/minke-runtime" generate-man
printf '%s\n' "$out" >"$T/man/minke-runtime.1"
assert_match '1970-01-02' "$(head -1 "$T/man/minke.1")"
grep -q '^.SH FILES' "$T/man/minke.1"
grep -q '^.SH EXAMPLES' "$T/man/minke-run.1"
for command in $("$MINKE" --help | sed -n '/^Available/,/^Options/s/^  \([a-z]*\) .*/\1/p'); do
  [ -s "$T/man/minke-$command.1" ] || fail "no page of $command"
done
seen=0
for page in "$T"/man/*.1; do
  if command -v groff >/dev/null; then
    assert_eq '' "$(groff -man -ww -z -Tutf8 "$page" 2>&1)" "groff: $page"
    seen=1
  fi
  if command -v mandoc >/dev/null; then
    assert_eq '' "$(mandoc -T lint -W warning "$page" 2>&1)" "mandoc: $page"
    seen=1
  fi
done
[ $seen = 1 ] || skip 'neither groff nor mandoc is installed'
