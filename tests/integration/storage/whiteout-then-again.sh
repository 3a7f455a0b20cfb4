#!/bin/bash
# A path removed in one layer and made again in the next, as another kind.
. "$(dirname "$0")/../../lib.sh"
mkdir -p l1/d l2 l3
echo 1 >l1/f; echo 1 >l1/d/x; : >l2/.wh.f; : >l2/.wh.d
mkdir -p l3/f; echo 3 >l3/f/y; echo 3 >l3/d
busybox_image i.tar localhost/again:latest '{"Env":["PATH=/bin"]}' l1 l2 l3
ok minke load -q -i i.tar

ok run localhost/again:latest sh -c 'cat /f/y /d'
assert_eq $'3\n3' "$out"
