#!/bin/bash
# --cap-add and --cap-drop, in any case and with or without CAP_.
. "$(dirname "$0")/../../lib.sh"
need_image

probe security -- --cap-drop all
assert_eq 0000000000000000 "$(field "$out" .caps.CapBnd)"
probe security -- --cap-drop ALL --cap-add net_bind_service --cap-add CAP_CHOWN
assert_eq 0000000000000401 "$(field "$out" .caps.CapEff)"
probe security -- --cap-add sys_ptrace --cap-drop setfcap
assert_eq 00000000000c05fb "$(field "$out" .caps.CapEff)"
expect_exit 125 run --cap-add no_such_cap "$IMG" true
assert_match 'NO_SUCH_CAP' "${err^^}"
