#!/bin/bash
# pause, resume, update, ps, events --stats and kill --all work on the container's cgroup.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-runtime.sh"
bundle b '.process.args = ["sh", "-c", "sleep 100 & sleep 100; true"] | .linux.resources.pids.limit = 50 | .linux.resources.memory.limit = 67108864'

ok rt run -d --bundle "$T/b" c </dev/null
ok rt pause c
assert_eq paused "$(rt state c | jq -r .status)"
assert_error 255 'paused' rt exec c true
ok rt resume c
assert_eq running "$(rt state c | jq -r .status)"
ok rt events --stats c
assert_eq 50 "$(field "$out" .data.pids.limit)"
assert_eq 67108864 "$(field "$out" .data.memory.usage.limit)"
# runc's members, and what it leaves out when it is 0
assert_eq '["blkio","cpu","cpuset","hugetlb","intel_rdt","memory","network_interfaces","pids"]' "$(jq -c '.data | keys' <<<"$out")"
assert_eq '["cache","kernel","kernelTCP","raw","swap","usage"]' "$(jq -c '.data.memory + {cache: 1} | keys' <<<"$out")"
assert_eq true "$(jq '.data.memory.raw.pgfault > 0 and .data.cpu.usage.total > 0 and .data.cpuset.sched_load_balance <= 1' <<<"$out")"
assert_eq true "$(jq '[.data.hugetlb[].failcnt] | all(. == 0)' <<<"$out")"
ok rt update --memory 128m --pids-limit 20 c
ok rt events --stats c
assert_eq 20 "$(field "$out" .data.pids.limit)"
assert_eq 134217728 "$(field "$out" .data.memory.usage.limit)"
echo '{"pids": {"limit": 30}}' >"$T/r.json"
ok rt update -r "$T/r.json" c
ok rt events --stats c
assert_eq 30 "$(field "$out" .data.pids.limit)"
ok rt ps --format json c
assert_eq 3 "$(field "$out" length)"
ok rt ps c
assert_match 'sleep 100' "$out"
ok rt kill --all c KILL
within 20 eval '[ "$(rt state c | jq -r .status)" = stopped ]'
