#!/bin/bash
# What comes later is refused by name, before anything is made.
. "$(dirname "$0")/../../lib.sh"
need_image
is_podman && skip 'podman has these options'

for option in --publish=80:80 --publish-all --ip=10.0.0.2 --mac-address=02:00:00:00:00:01 --network-alias=x --pod=p \
  --hosts-file=none; do
  assert_error 125 "${option%%=*}.*not supported yet: " minke run "$option" --network none "$IMG" true
done
assert_error 125 'several --network' minke run --network none --network host "$IMG" true
assert_error 125 'init-ctr.*not supported yet' minke create --init-ctr=once --network none "$IMG" true
assert_error 125 'rootless-netns.*not supported yet' minke unshare --rootless-netns true
assert_error 125 'unknown flag: --no-such' minke run --no-such "$IMG" true
ok minke ps -aq
assert_eq '' "$out"
