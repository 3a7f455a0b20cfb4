#!/bin/bash
# A holder that is killed while netd lives is replaced by one in the same namespaces; an old one without a network namespace of its
# own gets a successor that has one.
# needs: user
. "$(dirname "$0")/../../lib-names.sh"

holder() { cut -d' ' -f1 "$T/u/userns"; }
names() { minke unshare readlink /proc/self/ns/user; readlink "/proc/$(holder)/ns/net"; }
netd start
[ "$(readlink "/proc/$(holder)/ns/net")" != "$(readlink /proc/self/ns/net)" ] || fail 'no network namespace of its own'
sleeper
record web "$sleeper" front=10.77.0.2/24@10.77.0.1
netd sync "$(id_of web)"
before=$(names)
old=$(holder)
kill -9 "$old"
within 10 eval '! readlink /proc/'"$old"'/ns/net'
assert_eq "$before" "$(names)" 'namespaces'
[ "$old" != "$(holder)" ] || fail 'no new holder'
end_netd

# of a version whose holder stayed in the host's network namespace
old=$(holder)
# shellcheck disable=SC2154 # lib.sh sets it
"$MINKE" "${engine_options[@]}" unshare sleep 1000 &
without=$!
within 10 eval '[ "$(cat /proc/$without/comm)" = sleep ]'
assert_eq "$(readlink /proc/self/ns/net)" "$(readlink "/proc/$without/ns/net")"
echo "$without $(awk '{print $22}' "/proc/$without/stat")" >"$T/u/userns"
kill -9 "$old"
netd start
[ "$(holder)" != "$without" ] || fail 'still the old holder'
[ "$(readlink "/proc/$(holder)/ns/net")" != "$(readlink /proc/self/ns/net)" ] || fail 'no network namespace of its own'
within 10 eval '! kill -0 $without'
ok minke unshare true
end_netd
