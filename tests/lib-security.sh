# shellcheck shell=bash
# For tests of attacks (after lib.sh). Here is added:
#   ATTACK     the attacker's program (tests/probe/attack.c), static
#   H          a folder of the host that no attack may reach; `intact WHAT` proves that it is as it was

ATTACK=${PROBE%/*}/attack
H=$T/H

# Content, mode, owner, times and names of everything in H.
canary_state() {
  (cd "$H" && find . -printf '%p %y %m %U:%G %T@ %s %l\n' | sort && find . -type f -exec sha256sum {} + | sort)
}

mkdir -m 755 "$H" "$H/folder"
printf 'host secret\n' >"$H/secret"
printf 'inner\n' >"$H/folder/inner"
chmod 640 "$H/secret"
printf '#!/bin/sh\n' >"$H/tool"
chmod 755 "$H/tool"
ln -s secret "$H/link"
find "$H" -depth -exec touch -h -d '2001-02-03 04:05:06' {} +
canary_state >"$T/canaries"

intact() {
  canary_state >"$T/canaries.now"
  diff "$T/canaries" "$T/canaries.now" >"$T/canaries.diff" || fail "$1: files of the host changed
$(cat "$T/canaries.diff")"
}

# nothing_mounted: no mount of the host leads to our folders.
nothing_mounted() {
  ! grep " $H" /proc/self/mountinfo || fail "$1: mounted on the host"
}

# exchange A B: the two change places, over and over, until `calm`.
racers=()
exchange() {
  "$ATTACK" exchange "$1" "$2" 120 &
  racers+=($!)
}
calm() {
  [ ${#racers[@]} = 0 ] || kill "${racers[@]}" 2>/dev/null || true
  wait "${racers[@]}" 2>/dev/null || true
  racers=()
}

# rounds FUNCTION [LESS]: FUNCTION I for I from 1 on, 300/LESS times or as often as 20 seconds allow, but 12 times at least;
# `./x stress` has more of both. How often it was is in $round.
rounds() {
  local function=$1 wanted=$((${MINKE_RACE_ROUNDS:-300} / ${2:-1})) end=$((SECONDS + ${MINKE_RACE_SECONDS:-20}))
  round=0
  while [ $round -lt "$wanted" ] && { [ $round -lt 12 ] || [ $SECONDS -lt $end ]; }; do
    round=$((round + 1))
    "$function" "$round"
  done
  echo "$round rounds"
}

# try COMMAND...: it may succeed or be refused (125..127 and 1), but neither hang nor die by a signal.
try() {
  rc=0
  timeout 60 "$@" >"$T/.out" 2>"$T/.err" </dev/null || rc=$?
  # shellcheck disable=SC2034 # for the caller
  out=$(tr -d '\0' <"$T/.out") err=$(tr -d '\0' <"$T/.err")
  [ "$rc" != 124 ] || fail "hangs: $*"
  [ "$rc" -lt 128 ] || [ "$rc" = 255 ] || fail "ended by a signal ($rc): $*
$err"
}
# The engine as a program, for `try` and `timeout`.
# shellcheck disable=SC2034
engine=("$MINKE" "${engine_options[@]}")
