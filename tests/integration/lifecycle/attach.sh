#!/bin/bash
# attach shows the output; several may watch, and all end with the container.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c "$IMG" sh -c 'while [ ! -e /go ]; do sleep 0.05; done; echo hello; exit 3' >/dev/null

minke attach --no-stdin c >one & p1=$!
minke attach --no-stdin c >two & p2=$!
sleep 1
minke exec c touch /go
wait $p1 || true
wait $p2 || true
assert_eq 'hello hello' "$(cat one) $(cat two)"
expect_exit 125 minke attach c
