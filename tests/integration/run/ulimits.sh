#!/bin/bash
# --ulimit sets soft and hard limits.
. "$(dirname "$0")/../../lib.sh"
need_image

probe limits -- --ulimit nofile=300:400 --ulimit core=0
assert_eq '[300,400]' "$(jq -c .rlimits.nofile <<<"$out")"
assert_eq '[0,0]' "$(jq -c .rlimits.core <<<"$out")"

# What the host does not allow is lowered, with a word about it.
hard=$(ulimit -Hn)
if ! is_root && [ "$hard" != unlimited ]; then
  probe limits -- --ulimit nofile=$((hard * 2)):$((hard * 2))
  assert_eq "[$hard,$hard]" "$(jq -c .rlimits.nofile <<<"$out")"
  assert_match 'lowered.*NOFILE' "$err"
fi
