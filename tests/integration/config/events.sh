#!/bin/bash
# containers.conf says where events go; --events-backend wins.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'the place of the log is our own'
need_image
export CONTAINERS_CONF=$T/c.conf
printf '[engine]\nevents_logger="none"\n' >"$CONTAINERS_CONF"
ok minke create --name a "$IMG" true
printf '[engine]\nevents_logger="file"\nevents_logfile_path="%s/told"\nevents_logfile_max_size="1m"\n' "$T" >"$CONTAINERS_CONF"
ok minke create --name b "$IMG" true
ok minke rm b
grep -q '"b"' "$T/told"
if grep -q '"a"' "$T/told"; then fail 'an event of the time of none'; fi
ok minke events --stream=false --format '{{.Status}} {{.Name}}'
assert_match $'create b\n.*remove b' "$out"
printf '[engine]\nevents_logger="none"\n' >"$CONTAINERS_CONF"
ok minke --events-backend file create --name c "$IMG" true
ok minke --events-backend file events --stream=false --format '{{.Status}} {{.Name}}'
assert_match 'create c' "$out"
# A fault ends what creates; what is there can still be removed.
printf '[engine]\nevents_logger="paper"\n' >"$CONTAINERS_CONF"
expect_exit 125 minke create "$IMG" true
assert_match 'c.conf:2: engine.events_logger: "paper" is none of file, journald, none' "$err"
assert_eq 1 "$(wc -l <<<"$err")"
ok minke rm a c
