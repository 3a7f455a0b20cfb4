#!/bin/bash
# A container that runs /proc/self/exe gets no writable way to the runtime's program (CVE-2019-5736).
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-runtime.sh"
bundle b '.process.args = ["/bin/self", "--version"] | .root.readonly = false'
cp "$BIN/minke-runtime" "$T/minke-runtime"
before=$(sha256sum <"$T/minke-runtime")
printf '#!/proc/self/exe\n' >"$T/b/rootfs/bin/self"
chmod 755 "$T/b/rootfs/bin/self"

"$T/minke-runtime" --root "$RT_ROOT" run --bundle "$T/b" c >"$T/out" 2>&1 || true
assert_eq "$before" "$(sha256sum <"$T/minke-runtime")" program
# What a process that enters shows of itself is on a read-only mount.
bundle s '.process.args = ["sleep", "100"]'
ok rt run -d --bundle "$T/s" s </dev/null
jq '.process.args = ["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do for p in /proc/[0-9]*; do : >>$p/exe; done; done 2>&1 | grep -v -e Text -e denied -e Read-only -e nonexistent -e \"No such\""]' \
  "$T/s/config.json" | jq .process >"$T/p.json"
rt exec --process "$T/p.json" s >"$T/attack" 2>&1 &
for _ in 1 2 3 4 5; do ok rt exec s true; done
wait
assert_eq '' "$(cat "$T/attack")" 'writable programs'
