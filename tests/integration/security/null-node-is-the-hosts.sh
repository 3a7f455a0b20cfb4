#!/bin/bash
# Through a masked file or a bound device nobody changes mode or owner of the host's node.
# needs: root
. "$(dirname "$0")/../../lib.sh"
need_image
nodes() { stat -c '%n %a %u:%g' /dev/null /dev/zero /dev/full /dev/random /dev/tty; }
before=$(nodes)
for api in 0 1; do
  export MINKE_OLD_MOUNT_API=$api
  for options in '' '--userns=auto:size=1000' '--security-opt seccomp=unconfined'; do
    # shellcheck disable=SC2086
    try=$(minke run --rm --network none $options "$IMG" sh -c '
      for f in /proc/kcore /proc/keys /proc/timer_list /proc/interrupts /dev/null /dev/zero /dev/full /dev/random; do
        chown 77:77 $f; chmod 600 $f; chmod 666 $f; chown 0:0 $f; chown 77:77 $f; done' 2>&1) || true
    now=$(nodes)
    if [ "$before" != "$now" ]; then
      while read -r name mode owner; do chmod "$mode" "$name"; chown "$owner" "$name"; done <<<"$before"
      fail "nodes of the host changed with: $options (MINKE_OLD_MOUNT_API=$api)
$now
$try"
    fi
  done
done
