#!/bin/bash
# --runtime-flag reaches another OCI runtime at each call.
# needs: root
. "$(dirname "$0")/../../lib.sh"
need_image
cat >rt <<SH
#!/bin/sh
echo "\$@" >>$T/calls
exec "$BIN/minke-runtime" "\$@"
SH
chmod +x rt
ok minke --runtime "$T/rt" --runtime-flag debug run --rm --network none "$IMG" true
grep -q -- '--debug .*create' calls || fail "create: $(cat calls)"
grep -q -- '--debug .*start' calls || fail "start: $(cat calls)"
grep -q -- '--debug .*delete' calls || fail "delete: $(cat calls)"
