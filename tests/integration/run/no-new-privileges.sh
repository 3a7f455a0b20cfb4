#!/bin/bash
# --security-opt no-new-privileges sets the bit, which is off otherwise.
. "$(dirname "$0")/../../lib.sh"
need_image

probe security --
assert_eq 0 "$(field "$out" .no_new_privs)"
probe security -- --security-opt no-new-privileges
assert_eq 1 "$(field "$out" .no_new_privs)"
