#!/bin/bash
# Garbage in containers.conf is one line with file, line and key; commands that need none of it work.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'texts of our own'
need_image
export CONTAINERS_CONF=$T/c.conf
while IFS='|' read -r text fault; do
  printf '%b' "$text" >"$CONTAINERS_CONF"
  expect_exit 125 minke create "$IMG" true
  assert_eq 1 "$(wc -l <<<"$err")" "lines for $text"
  assert_match "c.conf:[0-9]+: $fault" "$err"
  ok minke ps
  assert_eq "" "$err"
  ok minke version
done <<'C'
[containers]\npids_limit = "x"\n|containers.pids_limit: must be an integer
[containers\n|.*
\0\1\xff|.*
[containers]\ndefault_ulimits = ["bogus"]\n|containers.default_ulimits: 
[containers]\ndefault_capabilities = ["NOPE"]\n|containers.default_capabilities: .*NOPE
[containers]\nvolumes = ["::::"]\n|containers.volumes: 
[containers]\npidns = "bogus"\n|containers.pidns: 
[containers]\nshm_size = "many"\n|containers.shm_size: 
[containers]\numask = "999"\n|containers.umask: 
[containers]\nlog_driver = "paper"\n|containers.log_driver: "paper" is none of
[containers]\nseccomp_profile = "/no/such"\n|containers.seccomp_profile: /no/such: no such file
[engine]\npull_policy = "perhaps"\n|engine.pull_policy: 
[engine]\nruntime = "r"\n[engine.runtimes]\nr = ["/no/such"]\n|engine.runtimes.r: none of these is a program
C
export CONTAINERS_CONF=$T/none
expect_exit 125 minke create "$IMG" true
assert_match "CONTAINERS_CONF: .*$T/none" "$err"

printf '[engine]\nnum_locks = 5\nno_such_key = 1\n' >"$T/c.conf"
export CONTAINERS_CONF=$T/c.conf
ok minke create "$IMG" true
assert_eq '' "$err"
ok minke --log-level info create "$IMG" true
assert_eq 1 "$(grep -c 'engine.num_locks: no effect' <<<"$err")"
assert_match 'c.conf:3: engine.no_such_key: no effect: not known' "$err"
