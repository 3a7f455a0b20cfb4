#!/bin/bash
# On a terminal a load that takes over a second shows that it goes on; elsewhere there are Podman's lines alone.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'podman draws its own'
mkfifo "$T/pipe"
: >"$T/screen"
size=$(stat -c %s "$IMAGES/busybox.tar")
# The second half comes when the bar has been seen.
{
  head -c $((size / 2)) "$IMAGES/busybox.tar"
  within 60 eval 'grep -q "Loading [0-9.]*s" "$T/screen"'
  tail -c +$((size / 2 + 1)) "$IMAGES/busybox.tar"
} >"$T/pipe" &
"$PTY" 24x80 sh -c "'$MINKE' ${engine_options[*]} load <'$T/pipe'" >"$T/screen" </dev/null
wait
assert_match $'Loading [0-9]+s\e\\[K' "$(cat "$T/screen")"
assert_match 'Loaded image: localhost/busybox:latest' "$(tail -n 1 "$T/screen")"
assert_no_match 'Loading' "$(tail -n 1 "$T/screen")" 'the bar is wiped'

ok minke load -i "$IMAGES/busybox.tar"
assert_eq 'Loaded image: localhost/busybox:latest' "$out"
assert_no_match 'Loading' "$err"
