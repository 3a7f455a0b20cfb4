#!/bin/bash
# The detach keys leave the container running; the exit code is 0. Attach comes back to it.
. "$(dirname "$0")/../../lib.sh"
need_image

(within 30 is_running c; sleep 1; printf '\020'; sleep 0.3; printf '\021') |
  on_terminal run -it --name c --network none "$IMG" sh -c 'read -r line; echo "got $line"; exit 4' >one &
client=$!
rc=0
wait "$client" || rc=$?
assert_eq 0 $rc "$(cat one)"
assert_eq running "$(state_of c)"

(sleep 1; printf 'again\n') | on_terminal attach c >two || true
assert_match 'got again' "$(cat two)"
within 20 is_exited c
assert_eq 4 "$(minke inspect --format '{{.State.ExitCode}}' c)"

# what is no key is refused before anything happens, with a terminal or without
minke run -d --name d --network none "$IMG" sleep 1000 >/dev/null
assert_error 125 'invalid detach keys "bogus-key"' minke attach --detach-keys bogus-key d
assert_error 125 'invalid detach keys "ctrl-1"' minke exec --detach-keys ctrl-1 d true
assert_error 125 'invalid detach keys "bogus-key"' minke run --rm --network none --detach-keys bogus-key "$IMG" true
ok minke rm -f -t 0 d
