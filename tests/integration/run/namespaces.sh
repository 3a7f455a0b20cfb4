#!/bin/bash
# Namespaces are new by default, and the host's where asked.
. "$(dirname "$0")/../../lib.sh"
need_image
ns() { stat -L -c %i "/proc/self/ns/$1"; }

probe namespaces --
for n in mnt pid ipc uts net; do
  [ "$(field "$out" ".namespaces.$n")" != "$(ns $n)" ] || fail "$n is the host's"
done
ok minke run --rm --network host --ipc host --uts host "$IMG" probe report namespaces
for n in ipc uts net; do assert_eq "$(ns $n)" "$(field "$out" ".namespaces.$n")" "$n"; done
