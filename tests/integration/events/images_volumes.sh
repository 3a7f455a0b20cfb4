#!/bin/bash
# events of images and volumes.
. "$(dirname "$0")/../../lib.sh"
need_image

ok minke tag "$IMG" other:1
ok minke save -q -o x.tar other:1
ok minke untag "$IMG" other:1
ok minke volume create v
ok minke volume rm v
ok minke rmi "$IMG"
ok minke events --stream=false --format '{{.Type}} {{.Status}} {{.Name}}'
assert_eq "image loadfromarchive $IMAGES/busybox.tar
image tag localhost/other:1
image save x.tar
image untag localhost/other:1
volume create v
volume remove v
image untag $IMG
image remove" "${out% }"
