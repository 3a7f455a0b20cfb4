#!/bin/bash
# containers.conf: keyring, prepare_volume_on_create and [engine] env.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'the files of its own are needed'
need_image
export CONTAINERS_CONF=$T/c.conf
unset HTTP_PROXY http_proxy || true

printf '[containers]\nprepare_volume_on_create=true\n' >"$CONTAINERS_CONF"
minke create --name p --network none -v filled:/bin "$IMG" true >/dev/null
holds() { minke volume export "$1" | tar -tf - | grep -c '^[./]*busybox$' || true; }
assert_eq 1 "$(holds filled)" 'filled at create'
: >"$CONTAINERS_CONF"
minke create --name q --network none -v later:/bin "$IMG" true >/dev/null
assert_eq 0 "$(holds later)" 'before its first start'
ok minke start -a q
assert_eq 1 "$(holds later)" 'filled at the start'

printf '[engine]\nenv=["HTTP_PROXY=http://conf:1"]\n' >"$CONTAINERS_CONF"
ok run "$IMG" sh -c 'echo $HTTP_PROXY'
assert_eq http://conf:1 "$out"
# what is set already holds
ok env HTTP_PROXY=http://own:2 "$MINKE" "${engine_options[@]}" run --rm --network none "$IMG" sh -c 'echo $HTTP_PROXY'
assert_eq http://own:2 "$out"

is_root || exit 0
: >"$CONTAINERS_CONF"
id=$(start "$IMG" sleep 1000)
if grep -q "_ses.$id" /proc/keys; then
  printf '[containers]\nkeyring=false\n' >"$CONTAINERS_CONF"
  id=$(start "$IMG" sleep 1000)
  if grep -q "_ses.$id" /proc/keys; then fail 'a keyring of its own'; fi
fi
