#!/bin/bash
# container clone makes a container like another one, with other limits if wanted.
. "$(dirname "$0")/../../lib.sh"
need_image
minke create --network none --name a -e K=v -l l=1 -v data:/data --workdir /tmp "$IMG" sh -c 'echo $K $PWD' >/dev/null
id=$(minke container clone a)
assert_eq a-clone "$(minke inspect -f '{{.Name}}' "$id")" name
ok minke container clone a
assert_eq a-clone1 "$(minke inspect -f '{{.Name}}' -l)" name
expect_exit 0 minke start -a a-clone
assert_eq 'v /tmp' "$out"
assert_eq '1 data' "$(minke inspect -f '{{.Config.Labels.l}} {{(index .Mounts 0).Name}}' a-clone)"
ok minke container clone --name other a
ok minke container clone a second
ok minke container clone --run a third "$IMG"
within 20 is_exited third
assert_eq 'v /tmp' "$(minke logs third)"
assert_error 125 'the container name "other" is already in use' minke container clone --name other a
assert_error 125 'cannot set --force without --destroy: invalid argument' minke container clone -f a x
start --name up "$IMG" sleep 1000 >/dev/null
assert_error 125 'running or paused containers cannot be removed without force' minke container clone --destroy up up2
ok minke container clone --destroy -f up up3
expect_exit 1 minke container exists up
if is_root; then
  ok minke container clone -m 50m --cpus 0.5 a small
  assert_eq "$((50 << 20)) 500000000" "$(minke inspect -f '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}' small)"
fi
