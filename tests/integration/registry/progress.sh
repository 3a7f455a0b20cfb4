#!/bin/bash
# Pull and push: on a terminal a line for each layer that counts its bytes and is drawn again; off it one line each; with --quiet none.
. "$(dirname "$0")/../../lib-badregistry.sh"
bad_registry --layers 2 --layer-size 2000000 --fault layer:slow=2000
on_terminal pull --tls-verify=false "$REG/good/image" </dev/null >seen || fail "pull on a terminal: $(cat seen)"
up=$'\033\\[2A' line='Copying blob [0-9a-f]{12}'
assert_match "$up" "$(cat seen)" 'going up to draw again'
assert_match "$line \\[=* +\\] .*B / .*B" "$(cat seen)" 'a bar that is not full'
last=$(tr -d '\r' <seen | sed -E $'s/.*\033\\[2A//; s/\033\\[[0-9]*[A-Z]//g' | grep -oE "$line done" | sort -u)
assert_eq 2 "$(grep -c . <<<"$last")" 'layers that are done'
assert_match 'Writing manifest to image destination' "$(cat seen)"
id=$(tail -n1 seen | tr -d '\r')
ok minke image inspect "$id"

bad_registry --layer-size 7
on_terminal push --tls-verify=false "$id" "$REG/new/image" </dev/null >seen || fail "push on a terminal: $(cat seen)"
assert_eq 2 "$(grep -oE "$line done" seen | sort -u | wc -l)" 'layers that were pushed'
on_terminal push -q --tls-verify=false "$id" "$REG/new/image" </dev/null >seen || fail "quiet push: $(cat seen)"
assert_eq '' "$(cat seen)" 'what --quiet says'
ok minke push --tls-verify=false "$id" "$REG/more/image"
assert_eq 2 "$(grep -cE '^Copying blob sha256:[0-9a-f]{64} skipped: already exists$' <<<"$err")" 'lines of what is there'
assert_eq 2 "$(grep -c '^Copying blob' <<<"$err")" 'lines off the terminal'
bad_registry --layer-size 7
ok minke push --tls-verify=false "$id" "$REG/new/image"
assert_eq 2 "$(grep -cE '^Copying blob sha256:[0-9a-f]{64}$' <<<"$err")" 'lines of what is sent'
assert_eq 2 "$(grep -c '^Copying blob' <<<"$err")" 'lines off the terminal'
assert_no_match $'\033' "$err"

ok minke rmi -a
ok minke pull --tls-verify=false "$REG/new/image"
assert_eq 2 "$(grep -cE '^Copying blob sha256:[0-9a-f]{64}$' <<<"$err")" 'lines off the terminal'
assert_no_match $'\033' "$err"
on_terminal pull -q --tls-verify=false "$REG/new/image" </dev/null >seen
assert_eq "$id" "$(tr -d '\r' <seen)" 'what --quiet says'
