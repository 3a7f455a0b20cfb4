#!/bin/bash
# An Env entry of an image without '=' takes no value from the caller's environment.
. "$(dirname "$0")/../../lib.sh"
export SECRET_OF_CALLER=visible
busybox_image a.tar localhost/env:latest '{"Env":["PATH=/bin","SECRET_OF_CALLER","S*"]}'
rc=0
minke load -q -i a.tar >o 2>&1 || rc=$?
[ $rc = 0 ] || exit 0
expect_exit_any() { minke run --rm --network none localhost/env:latest env >o 2>&1 || true; }
expect_exit_any
assert_no_match visible "$(cat o)"
