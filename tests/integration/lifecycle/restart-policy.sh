#!/bin/bash
# A restart policy is refused by name rather than ignored; "no" is what there is.
. "$(dirname "$0")/../../lib.sh"
need_image
assert_error 125 '--restart' minke run -d --name c --network none --restart on-failure:3 "$IMG" true
expect_exit 1 minke container exists c
ok run --restart no "$IMG" true
