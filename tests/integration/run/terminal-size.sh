#!/bin/bash
# The container's terminal has the size of ours, from the start and when it changes.
. "$(dirname "$0")/../../lib.sh"
need_image

assert_match '24 80' "$(on_terminal run --rm -it --network none "$IMG" stty size </dev/null)"
