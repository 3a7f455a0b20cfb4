#!/bin/bash
# stats prints one line for each running container, by table, template and JSON.
. "$(dirname "$0")/../../lib.sh"
need_image
id=$(start --name c "$IMG" sh -c 'sleep 1000 & exec sleep 2000')
minke create --network none --name made "$IMG" true >/dev/null
ok minke stats --no-stream
assert_eq 'ID NAME CPU % MEM USAGE / LIMIT MEM % NET IO BLOCK IO PIDS CPU TIME AVG CPU %' "$(head -1 <<<"$out" | tr -s ' ')" heading
assert_match "${id:0:12} +c +[0-9.]+%" "$out"
assert_no_match made "$out"
ok minke stats --no-stream --no-trunc -a
assert_match "$id" "$out"
assert_match ' made +0.00% +0B / 0B' "$out"
ok minke stats --no-stream --format json c
assert_eq 'id name cpu_time cpu_percent avg_cpu mem_usage mem_percent net_io block_io pids' "$(jq -r '.[0]|keys_unsorted|join(" ")' <<<"$out")" keys
is_root && assert_eq 2 "$(jq -r '.[0].pids' <<<"$out")" pids
ok minke stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemLimit}}' c
assert_match '^c [0-9]+ [0-9]+$' "$out"
assert_error 125 'unable to look up container nosuch' minke stats --no-stream nosuch
assert_error 125 '^Error: --all, --latest and containers cannot be used together$' minke stats -a c
assert_error 125 'invalid interval, must be a positive number greater zero' minke stats -i 0
