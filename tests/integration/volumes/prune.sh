#!/bin/bash
# volume prune: anonymous ones nobody has, with --all named ones; filters, question, --dry-run.
. "$(dirname "$0")/../../lib.sh"
need_image

ok minke volume create --label a=b one
ok minke volume create two
ok minke create --name c -v used:/d -v /anon "$IMG" true
ok minke create --name d -v /anon "$IMG" true
ok minke rm d
ok minke volume prune -f
assert_eq 1 "$(wc -w <<<"$out")" 'the anonymous one that nobody has'
ok minke volume prune -f --all --dry-run
assert_eq 'one two' "$(xargs <<<"$out")"
echo n | minke volume prune --all >"$T/out"
assert_match 'WARNING! This will remove all volumes not used by at least one container' "$(cat "$T/out")"
ok minke volume ls -q
assert_eq 4 "$(wc -l <<<"$out")"
assert_error 125 'EOF' minke volume prune --all
assert_error 125 '"foo" is an invalid volume filter' minke volume prune -f --filter foo=bar
ok minke volume prune -f --all --filter label=a=b
assert_eq one "$out"
echo y | minke volume prune --filter all=true >"$T/out"
assert_eq two "$(tail -1 "$T/out" | sed 's/.* //')"
ok minke volume exists used
