#!/bin/bash
# What comes later is refused by name, before anything is made.
. "$(dirname "$0")/../../lib.sh"
need_image
is_podman && skip 'podman has these options'

for option in --link-local-ip=169.254.9.9 --pod=p --pod-id-file=f; do
  assert_error 125 "${option%%=*}.*not supported yet: " minke run "$option" --network none "$IMG" true
done
assert_error 125 'init-ctr.*not supported yet' minke create --init-ctr=once --network none "$IMG" true
assert_error 125 'rootless-netns.*not supported yet' minke unshare --rootless-netns true
assert_error 125 'unknown flag: --no-such' minke run --no-such "$IMG" true
ok minke ps -aq
assert_eq '' "$out"
