# shellcheck shell=bash
# For tests of registries: one that errs as it is told (tests/probe/badregistry says how).
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/lib-certs.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib-certs.sh"
need_program python3

# bad_registry [ARGUMENT...]: starts one, in place of that before. $REG is its HOST:PORT, $OTHER the second host's.
# bad_registry "${TLS[@]}" speaks TLS; its authority is in $CERTS.
REG='' OTHER='' registry_pid=''
bad_registry() {
  stop_bad_registry
  [[ " $* " != *' --tls '* ]] || registry_certs
  rm -rf "$T/bad"
  mkdir "$T/bad"
  python3 "$(dirname "${BASH_SOURCE[0]}")/probe/badregistry" --dir "$T/bad" "$@" &
  registry_pid=$!
  within 60 test -s "$T/bad/port"
  # shellcheck disable=SC2034 # for the caller
  REG=localhost:$(cat "$T/bad/port") OTHER=127.0.0.1:$(cat "$T/bad/other-port")
}
# shellcheck disable=SC2034 # for the caller
TLS=(--tls "$T/ca/server.crt" "$T/ca/server.key")
stop_bad_registry() {
  [ -n "$registry_pid" ] || return 0
  kill -9 "$registry_pid" 2>/dev/null
  wait "$registry_pid" 2>/dev/null || true
  registry_pid=''
}
cleanup_bad_registry() { # keeps the exit code
  local code=$?
  stop_bad_registry
  (exit $code)
  cleanup
}
trap cleanup_bad_registry EXIT

# What it was asked: lines of main|other METHOD PATH STATUS SCHEME RANGE HOST.
requests() { cat "$T/bad/log" 2>/dev/null || true; }
# One of those lines is like that, or none is.
assert_asked() { requests | grep -qE "$1" || fail "not asked: $1"$'\n'"$(requests)"; }
assert_not_asked() { ! requests | grep -E "$1" || fail "asked: $1"; }

# The last command failed with one line, and no image and nothing half made is there.
one_fault() {
  assert_match '^Error: ' "$err"
  assert_eq 1 "$(grep -c . <<<"$err")"
  assert_eq '' "$(minke images -q)"
  assert_eq '' "$(ls "$T/r/staging" 2>/dev/null)"
}
