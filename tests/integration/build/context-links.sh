#!/bin/bash
# No link of a context leads out of it: not for COPY, not as Containerfile, not as ignore file, not for mounts.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'other words'
need_image
mkdir -p ctx outside
echo secret >outside/secret
ln -s ../outside/secret ctx/up
ln -s "$T/outside" ctx/folder
ln -s /etc/hostname ctx/abs
for source in up folder/secret abs folder; do
  printf 'FROM localhost/busybox\nCOPY %s /x\n' $source >C
  expect_exit 125 minke build --network none -f C ctx
  printf 'FROM localhost/busybox\nRUN --mount=source=%s,target=/x cat /x\n' $source >C
  expect_exit 125 minke build --network none -f C ctx
  assert_match 'o such file' "$err"
done
ln -s ../outside/secret ctx/Containerfile
expect_exit 125 minke build --network none ctx
[[ $err != *secret* ]]
# as a link of a folder that is copied it is only a link
printf 'FROM localhost/busybox\nCOPY . /all\n' >C
ok minke build --network none -t made -f C ctx
ok run made readlink /all/up
assert_eq ../outside/secret "$out"
