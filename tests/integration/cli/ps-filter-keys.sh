#!/bin/bash
# ps --filter: each key, several at once, and keys that are none.
. "$(dirname "$0")/../../lib.sh"
need_image
id=$(start --name web -l a=b -v "$T:/data" "$IMG" sleep 100)
minke create --name plain --network none -l a=c "$IMG" true >/dev/null
expect_exit 3 minke run --name gone --network none "$IMG" sh -c 'exit 3'

filtered() { # WANT FILTER...
  local want=$1 args=()
  shift
  for f; do args+=(--filter "$f"); done
  ok minke ps -a --format '{{.Names}}' "${args[@]}"
  assert_eq "$want" "${out//$'\n'/ }" "$*"
}
filtered web name=we
filtered web 'name=^web$'
filtered '' 'name=^we$'
filtered web "id=${id:0:6}"
filtered 'web plain' label=a
filtered web label=a=b
filtered '' label=a=b label=a=c
filtered 'web gone' status=running status=exited
filtered gone status=stopped
filtered gone exited=3
filtered 'web plain gone' "ancestor=$IMG"
filtered web before=plain
filtered gone since=plain
filtered web volume=/data
filtered 'web plain gone' restart-policy=no
filtered '' until=1h
filtered plain label=a status=created
# a state asks for containers in all states
ok minke ps --format '{{.Names}}' --filter status=exited
assert_eq gone "$out"
assert_error 125 'unknown container state' minke ps --filter status=odd
assert_error 125 'is an invalid filter' minke ps --filter odd=1
assert_error 125 'invalid filter' minke ps --filter odd
assert_error 125 'no such container' minke ps --filter before=no-such
