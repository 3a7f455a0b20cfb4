#!/bin/bash
# The json-file driver writes one object per line: log, stream, time.
. "$(dirname "$0")/../../lib.sh"
need_image
is_podman && skip 'podman writes k8s-file lines under this name'

ok minke run --name c --network none --log-driver json-file --log-opt path="$T/log" "$IMG" sh -c 'echo out; echo "q\"uote" >&2'
assert_eq $'"out\\n" "stdout"\n"q\\"uote\\n" "stderr"' "$(jq -r '"\(.log | tojson) \(.stream | tojson)"' log | sort)"
assert_match '^[0-9-]+T[0-9:.]+Z' "$(jq -r .time log | head -n 1)"
ok minke logs c
assert_eq out "$out"
