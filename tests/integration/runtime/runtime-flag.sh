#!/bin/bash
# --runtime-flag reaches another OCI runtime, before its command.
# needs: root
. "$(dirname "$0")/../../lib.sh"
need_image
cat >rt <<SH
#!/bin/sh
echo "\$@" >>$T/calls
exit 1
SH
chmod +x rt
minke --runtime "$T/rt" --runtime-flag debug --runtime-flag --log-level=info run --rm --network none "$IMG" true >o 2>&1 || true
grep -q -- ' --debug --log-level=info .*create --bundle' calls || fail "create: $(cat calls)"
