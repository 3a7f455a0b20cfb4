#!/bin/bash
# port lists nothing while no container publishes, and knows its arguments.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c "$IMG" sleep 1000 >/dev/null
for words in c '-a' '-l' 'c 80' 'c 80/tcp' '-l 80/udp'; do
  # shellcheck disable=SC2086
  ok minke port $words
  assert_eq '' "$out"
done
assert_error 125 'you must supply a running container name or id' minke port
assert_error 125 'parsing "x": invalid syntax' minke port c x
assert_error 125 'no container with name or ID "nosuch" found: no such container' minke port nosuch
assert_error 125 'no arguments are needed with --all' minke port -a c
