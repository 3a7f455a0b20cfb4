#!/bin/bash
# While a container swaps a folder of a volume for a link to the host's, no export has anything of the host.
# (CVE-2018-15664 and its like)
. "$(dirname "$0")/../../lib.sh"
need_image

mkdir "$T/host"; echo canary-of-the-host >"$T/host/secret"
ok start --name c -v v:/d "$IMG" sh -c "mkdir /d/a /d/b; echo mine >/d/a/secret
  while :; do mv /d/a /d/b/a; ln -s $T/host /d/a; rm /d/a; mv /d/b/a /d/a; done"
within 20 eval 'minke volume export v | tar -tf - | grep -q secret'
for _ in $(seq 40); do
  minke volume export v >"$T/v.tar" 2>"$T/.err" || true
  if grep -q canary-of-the-host "$T/v.tar"; then fail 'the host is in the archive'; fi
done
ok minke rm -f -t 0 c
