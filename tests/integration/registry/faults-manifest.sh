#!/bin/bash
# Manifests that are no images: each is one line, in bounded memory, and leaves nothing.
. "$(dirname "$0")/../../lib-badregistry.sh"
bad_registry
pull() (
  bound_memory 1000000
  exec "$MINKE" --root "$T/r" --runroot "$T/u" pull --quiet --tls-verify=false --retry 1 --retry-delay 10ms "$@"
)

for name in deep huge nojson empty array nolayers numbers negative overflow traversal md5 many foreign missing wrongsize artifact \
  schema1 diffid fewer platform noplatforms bomb nested self; do
  expect_exit 125 pull "$REG/bad/$name"
  one_fault
  assert_match "bad/$name|invalid|not supported|manifest|layer|blob|digest|image" "$err"
  [ -z "$(minke images -q)" ]
done
ok pull "$REG/good/list"
assert_eq '' "$(ls "$T/r/staging")"
