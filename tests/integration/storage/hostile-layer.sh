#!/bin/bash
# A layer that reaches out of its root is refused with one error, and leaves nothing outside.
. "$(dirname "$0")/../../lib.sh"
canary() {
  if [ -e "$T/escape" ] || [ -e /escape-of-minke-test ]; then fail "$1 got out"; fi
}
attack() { # NAME TAR-OPTIONS...: a layer with entries renamed as told
  local name=$1 dir
  shift
  dir=$(mktemp -d "$T/bad.XXXXXX")
  tar -C src -cPf "$dir/l" "$@"
  local d; d=$(sha256sum "$dir/l" | cut -d' ' -f1)
  mv "$dir/l" "$dir/l.tar"
  printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$d" >"$dir/c.json"
  printf '[{"Config":"c.json","RepoTags":["localhost/bad:latest"],"Layers":["l.tar"]}]' >"$dir/manifest.json"
  tar -C "$dir" -cf bad.tar c.json manifest.json l.tar
  rc=0
  minke load -q -i bad.tar >o 2>&1 || rc=$?
  canary "$name"
  if [ $rc = 0 ]; then
    # what it names may also be taken to lie inside
    minke rmi -f localhost/bad:latest >/dev/null
  fi
}
mkdir src
echo bad >src/f
ln -s "$T" src/link
ln -s / src/root

attack 'dot-dot' --transform "s,^f$,../../../../../../../..$T/escape," f
attack 'absolute' --transform "s,^f$,/escape-of-minke-test," f
attack 'through a link' --transform 's,^f$,link/escape,' link f
attack 'through a link to /' --transform 's,^f$,root/escape-of-minke-test,' root f
