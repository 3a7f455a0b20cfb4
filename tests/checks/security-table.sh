#!/bin/bash
# docs/security.md names tests that exist, and every attack has its row there.
set -euo pipefail
cd "$(dirname "$0")/../.."
bad=0
table=$(sed -n '/^## What each fault/,/^## What is not/p' docs/security.md)
while read -r name; do
  [ -e "tests/integration/security/$name.sh" ] || [ -e "tests/integration/$name.sh" ] || { echo "docs/security.md: no test $name" >&2; bad=1; }
done < <(grep '^| CVE' <<<"$table" | cut -d'|' -f3 | grep -o '`[^` ]*`' | tr -d '`' | grep -E '^cve-|/')
for test in tests/integration/security/cve-*.sh; do
  name=${test##*/}
  grep -q "\`${name%.sh}\`" <<<"$table" || { echo "docs/security.md: nothing about ${name%.sh}" >&2; bad=1; }
  # what a test says it is about stands in the table too
  while read -r fault; do
    grep -q "$fault" <<<"$table" || { echo "docs/security.md: nothing about $fault of $test" >&2; bad=1; }
  done < <(sed -n '2,4p' "$test" | grep -o 'CVE-[0-9]*-[0-9]*')
done
exit $bad
