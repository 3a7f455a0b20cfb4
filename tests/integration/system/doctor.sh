#!/bin/bash
# doctor: one line a fact, the command that mends it below; it changes nothing.
. "$(dirname "$0")/../../lib.sh"

rc=0; minke doctor >"$T/out" 2>"$T/err" || rc=$?
[ $rc = 0 ] || [ $rc = 1 ] || fail "exit code $rc: $(cat "$T/err")"
for fact in kernel programs 'user namespaces' cgroups overlay storage seccomp; do
  grep -Eq "^(good|limit|bad) +$fact" "$T/out" || fail "nothing about $fact: $(cat "$T/out")"
done
is_root || grep -Eq '^(good|limit|bad) +/etc/subuid' "$T/out" || fail 'nothing about subordinate ids'
assert_no_match '(^|'$'\n'')bad' "$(cat "$T/out")"
ok minke doctor --format json
[ "$(jq length <<<"$out")" -ge 8 ] || fail "$out"
assert_eq '' "$(ls "$T/r/staging")"
for fact in outbound clients 'local clients'; do
  jq -e --arg f "$fact" 'any(.Name == $f)' <<<"$out" >/dev/null || fail "nothing about $fact: $out"
done
gateway=$(minke network inspect podman --format '{{(index .Subnets 0).Gateway}}')
assert_match "${gateway//./\\.} .podman." "$(jq -r '.[] | select(.Name == "local clients") | .Text' <<<"$out")"
minke network create --internal inner >/dev/null
assert_match 'internal: all clients are its gateway' "$(minke doctor --format json)"
ok minke info --format '{{.Host.NetworkBackend}} {{.Host.NetworkBackendInfo.Clients}} {{.Host.NetworkBackendInfo.OutboundTcp}}'
assert_match '^minke own address (kernel|minke-netd|slirp4netns|pasta)' "$out"
if ! is_root; then
  minke info >/dev/null
  rc=0; env -u XDG_RUNTIME_DIR "$MINKE" "${engine_options[@]}" doctor >"$T/out" || rc=$?
  grep -A1 '^limit.*XDG_RUNTIME_DIR' "$T/out" | grep -q 'fix: export XDG_RUNTIME_DIR=' || fail "$(cat "$T/out")"
fi
