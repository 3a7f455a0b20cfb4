#!/bin/bash
# Layers below a folder that is the user's alone (a home of mode 0700) serve containers of every user namespace.
# needs: user
. "$(dirname "$0")/../../lib.sh"
need_image
mkdir -m 700 "$T/home"
engine_options=(--root "$T/home/r" --runroot "$T/u")
ok minke load -q -i "$IMAGES/busybox.tar"
for options in '--userns auto' '--userns nomap' '--uidmap 0:1:1000' '--userns keep-id' '--userns auto --read-only' '--userns auto --user 5'; do
  # shellcheck disable=SC2086
  ok minke run --rm --network none $options "$IMG" sh -c 'echo written >/tmp/f && cat /tmp/f'
  assert_eq written "$out" "$options"
done
ok minke run --name c --network none --userns auto "$IMG" touch /left
ok minke start -a c
ok minke diff c
assert_match 'A /left' "$out"
ok minke rm c
