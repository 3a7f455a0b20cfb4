#!/bin/bash
# A name without registry finds localhost/NAME; a tag of latest is understood.
. "$(dirname "$0")/../../lib.sh"
need_image

ok run --pull never busybox true
ok run --pull never busybox:latest true
ok run --pull never localhost/busybox true
expect_exit 125 run --pull never busybox:other true
