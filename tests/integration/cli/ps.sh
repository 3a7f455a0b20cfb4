#!/bin/bash
# ps shows the running ones, -a all, -q ids, -n the last ones; the table has Podman's columns.
. "$(dirname "$0")/../../lib.sh"
need_image
up=$(start --name up "$IMG" sleep 100)
expect_exit 3 minke run --name gone --network none "$IMG" sh -c 'exit 3'

ok minke ps
assert_match '^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES' "$out"
assert_match "${up:0:12}  +localhost/busybox:latest  +sleep 100  +.* ago  +Up .*up" "$out"
assert_no_match gone "$out"
ok minke ps -a
assert_match 'Exited \(3\) .* ago' "$out"
ok minke ps -q --no-trunc
assert_eq "$up" "$out"
ok minke ps -a -n 1 --format '{{.Names}}'
assert_eq gone "$out"
