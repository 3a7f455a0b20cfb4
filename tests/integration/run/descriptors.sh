#!/bin/bash
# No descriptor of the engine reaches the container.
. "$(dirname "$0")/../../lib.sh"
need_image

probe files -- 7<"$PROBE"
assert_eq '["0","1","2"]' "$(jq -c '.fds | keys' <<<"$out")"
