#!/bin/bash
# An OCI runtime that is a script around minke-runtime: the program it starts protects itself like any other.
# needs: root
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'a matter of minke'
need_image
cat >rt <<SH
#!/bin/sh
echo "\$@" >>$T/calls
exec $BIN/minke-runtime "\$@"
SH
chmod +x rt
ok minke --runtime "$T/rt" run --rm --network none "$IMG" echo inside
assert_eq inside "$out"
grep -q create calls || fail "the script was not used: $(cat calls)"
expect_exit 3 minke --runtime "$T/rt" run --rm --network none "$IMG" sh -c 'exit 3'
# nothing of how the engine protects itself is seen inside
ok minke --runtime "$T/rt" run --rm --network none "$IMG" env
assert_no_match MINKE "$out"
