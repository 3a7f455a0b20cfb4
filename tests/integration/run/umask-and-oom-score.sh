#!/bin/bash
# The umask is 0022 or --umask; --oom-score-adj reaches the process.
. "$(dirname "$0")/../../lib.sh"
need_image

probe limits -- --oom-score-adj 500
assert_eq '0022 500' "$(field "$out" '"\(.umask) \(.oom_score_adj)"')"
probe limits -- --umask 0077
assert_eq 0077 "$(field "$out" .umask)"
