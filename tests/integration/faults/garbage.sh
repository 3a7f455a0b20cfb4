#!/bin/bash
# Garbage in any file of ours: one clear line that names the file, and all else stays usable.
. "$(dirname "$0")/../../lib.sh"
need_image

ok minke create --name good --network none "$IMG" echo fine
ok minke create --name bad --network none -v v:/d "$IMG" true
bad=$out
ok minke volume create w
echo x >"$T/s"; ok minke secret create s "$T/s"; ok minke secret create t "$T/s"
cp "$T/r/containers/$bad/config.json" "$T/kept"
for garbage in '' '{' '[]' '{"id":5}' $'\x01\xff\xfe'; do
  printf %s "$garbage" >"$T/r/containers/$bad/config.json"
  assert_error 125 'config.json' minke start bad
  ok minke ps -a --format '{{.Names}}'
  grep -q good <<<"$out" || fail 'the healthy one is hidden'
  ok minke start -a good
  assert_eq fine "$out"
done
cp "$T/kept" "$T/r/containers/$bad/config.json"
for garbage in '' '{' '[]'; do
  printf %s "$garbage" >"$T/r/containers/$bad/summary.json"
  minke ps -a --format '{{.Names}}' 2>/dev/null | grep -q good || fail 'the healthy one is hidden'
done
ok minke system check --repair
echo garbage >"$T/r/volumes/w/config.json"
ok minke volume ls -q
assert_match v "$out"
assert_error 125 'volumes/w/config.json|volume w' minke volume inspect w
ok run -v v:/d "$IMG" true
echo garbage >"$T/r/secrets/s.d/config.json"
ok minke secret ls --format '{{.Name}}'
assert_eq t "$out"
assert_error 125 'secrets/s.d/config.json' minke secret inspect s
ok minke start bad
# A layout of a later version is left alone.
echo 99 >"$T/r/version"
assert_error 125 'layout version 99 was written by a newer minke' minke ps
echo garbage >"$T/r/version"
assert_error 125 'version: not a number' minke ps
echo 1 >"$T/r/version"
ok minke system check --repair
ok minke system check
