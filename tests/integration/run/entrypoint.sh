#!/bin/bash
# Entrypoint and command of the image, and how options and arguments replace them.
. "$(dirname "$0")/../../lib.sh"
busybox_image i.tar localhost/e:latest '{"Env":["PATH=/bin"],"Entrypoint":["echo","entry"],"Cmd":["cmd"]}'
ok minke load -q -i i.tar

ok run localhost/e:latest
assert_eq 'entry cmd' "$out"
ok run localhost/e:latest a b
assert_eq 'entry a b' "$out"
ok run --entrypoint echo localhost/e:latest x
assert_eq x "$out"
ok run --entrypoint '["echo","j"]' localhost/e:latest
assert_eq j "$out"
ok run --entrypoint '' localhost/e:latest echo plain
assert_eq plain "$out"
