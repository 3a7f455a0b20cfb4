#!/bin/bash
# The default eleven capabilities; inheritable and ambient are empty; a user has none in effect.
. "$(dirname "$0")/../../lib.sh"
need_image
# CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE SYS_CHROOT SETFCAP
default=00000000800405fb

probe security --
assert_eq "0000000000000000 $default $default $default 0000000000000000" \
  "$(field "$out" '.caps | [.CapInh, .CapPrm, .CapEff, .CapBnd, .CapAmb] | join(" ")')"
probe security -- -u app
assert_eq "0000000000000000 0000000000000000 0000000000000000 $default 0000000000000000" \
  "$(field "$out" '.caps | [.CapInh, .CapPrm, .CapEff, .CapBnd, .CapAmb] | join(" ")')"
