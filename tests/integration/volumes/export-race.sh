#!/bin/bash
# While a container exchanges folders of a volume for links to the host's, no export has anything of the host.
# (CVE-2018-15664 and its like)
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-security.sh"
need_image

ok start --name c -v v:/d -v "$ATTACK:/attack:ro" "$IMG" sh -c "mkdir -p /d/a/b; echo mine >/d/a/mine; echo mine >/d/a/b/mine; ln -s $H /d/out; ln -s $H /d/a/out
  /attack exchange /d/a /d/out 1000 & /attack exchange /d/a/b /d/a/out 1000 & wait"
within 20 eval 'minke volume export v | tar -tf - | grep -q mine'
once() {
  minke volume export v >"$T/v.tar" 2>"$T/.err" || true
  if grep -aq 'host secret' "$T/v.tar"; then fail 'the host is in the archive'; fi
}
rounds once
intact 'volume export'
ok minke rm -f -t 0 c
