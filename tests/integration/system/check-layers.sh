#!/bin/bash
# A broken layer is unpacked again from its blob: image and containers stay, and what was written in them. A layer that a
# running container stands on is left until that is stopped; where the blob is broken too, the image goes.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'a matter of files of minke'
mkdir l
echo upper >l/upper
busybox_image two.tar localhost/two:latest '{"Env":["PATH=/bin"]}' l
ok minke load -q -i two.tar
need_image
ok minke create --name c --network none localhost/two:latest sh -c 'cat /upper; echo x >>/written; cat /written'
ok minke start -a c
inside() { if is_root; then "$@"; else minke unshare "$@"; fi; }
top=$(inside find "$T/r/layers" -path '*/diff/upper')
top=${top%/diff/upper}
lowest=$(cat "$top/parent")

damage() { # HOW...: named, mended by --repair, and all is there
  "$@"
  assert_error 125 'damage detected' minke system check
  assert_match 'layer [0-9a-f]{64}: it' "$out"
  ok minke system check --repair
  assert_match 'unpacked anew from its blob' "$out"
  ok minke system check
  assert_eq '' "$out"
  ok minke start -a c
  runs=$((runs + 1))
  assert_eq "$(echo upper; yes x | head -n $runs)" "$out" "after $*"
  ok run localhost/two:latest cat /upper
}
runs=1
damage inside rm -rf "$top/diff"
damage inside rm -rf "$top"
damage inside rm -rf "$T/r/layers/$lowest/diff"
damage inside sh -c "echo garbage >$top/size"
damage inside sh -c "rm -rf $top $T/r/layers/$lowest"

# killed while it mends: the next one does it
inside rm -rf "$top/diff"
for step in store.load:0 store.load:2; do
  expect_exit 137 env MINKE_FAILPOINT=$step "$MINKE" "${engine_options[@]}" system check --repair
done
ok minke system check --repair
ok minke system check
assert_eq '' "$out"

# not from under a container that runs
start --name up localhost/two:latest sleep 1000 >/dev/null
inside sh -c "echo garbage >$top/size"
assert_error 125 'still present' minke system check --repair
assert_match 'a running container stands on it: stop it first' "$out"
ok minke exec up cat /upper
ok minke rm -f -t 0 up
ok minke system check --repair
assert_match 'unpacked anew' "$out"

# with the blob broken as well nothing is left to make it of
ok minke rm c
printf x >>"$T/r/images/blobs/sha256/$(sed 's/.*://' "$top/blob")"
inside rm -rf "$top/diff"
ok minke system check --repair
assert_match 'image [0-9a-f]{12}: blob sha256:.*removed' "$out"
expect_exit 1 minke image exists localhost/two:latest
ok run "$IMG" true
ok minke system check
