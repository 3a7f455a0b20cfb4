#!/bin/bash
# Mixed life cycles by 8 clients at once, commands and monitors killed with SIGKILL at random moments,
# ps and inspect running beside: no stuck lock, no wrong answer, and at the end nothing is left.
# MINKE_LIFE_CYCLES says how many (10000: the long run of `./x stress`).
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'a matter of files and steps of minke'
need_image
clients=8 cycles=${MINKE_LIFE_CYCLES:-400}
mkdir "$T/log"

wrong() { printf '%s\n' "$*" >>"$T/log/wrong"; }

# The process has ended; nobody may have reaped it.
is_gone() { [ ! -e "/proc/$1" ] || grep -qs '^State:.Z' "/proc/$1/status"; }

# must WANT-REGEX COMMAND...: exit code 0, and output as expected.
must() {
  local want=$1 got code=0
  shift
  got=$(minke "$@" 2>&1 </dev/null) || code=$?
  [[ $code = 0 && $got =~ $want ]] || wrong "client $me: exit code $code of minke $*: $got"
}
# A command that SIGKILL meets after 0 to 24 ms, or never.
killed() {
  { timeout --foreground -s KILL "0.0$((RANDOM % 3))$((RANDOM % 5 * 2 + 1))" "$MINKE" "${engine_options[@]}" "$@" </dev/null; } >/dev/null 2>&1 || true
}

cycle() {
  local c=k$me.$1 other=shared$((RANDOM % 3)) monitor
  case $((RANDOM % 10)) in
    0 | 1) must '^said$' run --rm --network none "$IMG" echo said ;;
    2)
      must . run -d --name "$c" --network none "$IMG" sleep 1000
      must '^in$' exec "$c" echo in
      must . stop -t 0 "$c"
      must "^$c\$" rm "$c"
      ;;
    3)
      must . create --name "$c" --network none "$IMG" sh -c 'exit 7'
      must "^$c\$" start "$c"
      must '^7$' wait "$c"
      must '^exited 7$' inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$c"
      must "^$c\$" rm "$c"
      ;;
    4)
      # the monitor killed: the next command sees it, and the container starts again
      must . run -d --name "$c" --network none "$IMG" sleep 1000
      monitor=$(minke inspect --format '{{.State.ConmonPid}}' "$c")
      kill -KILL "$monitor" || wrong "client $me: no monitor $monitor"
      until is_gone "$monitor"; do sleep 0.01; done
      must "^$c\$" start "$c"
      must '^running$' inspect --format '{{.State.Status}}' "$c"
      must "^$c\$" rm -f -t 0 "$c"
      ;;
    5) killed run --rm --network none "$IMG" sleep 0.01 ;;
    6)
      killed run -d --name "$c" --network none "$IMG" sleep 1000
      killed rm -f -t 0 "$c"
      must '' rm -f -i -t 0 "$c"
      must . run --name "$c" --network none "$IMG" echo again
      must "^$c\$" rm "$c"
      ;;
    7)
      must . create --name "$c" --network none -v "v$me:/v" "$IMG" sleep 1000
      killed start "$c"
      killed exec "$c" true
      killed stop -t 0 "$c"
      must "^$c\$" rm -f -t 0 "$c"
      ;;
    8 | 9)
      # what several clients change at once: no promise but that each command answers
      killed run -d --name "$other" --network none "$IMG" sleep 1000
      minke start "$other" >/dev/null 2>&1 </dev/null || [ $? = 125 ] || wrong "start $other"
      minke kill "$other" >/dev/null 2>&1 </dev/null || [ $? = 125 ] || wrong "kill $other"
      killed rm -f -t 0 "$other"
      ;;
  esac
}

client() {
  local i
  me=$1 RANDOM=$1
  for ((i = 0; i < cycles / clients; i++)); do cycle "$i"; done
  echo "$i" >"$T/log/done.$me"
}

observer() {
  local list name code
  me=observer
  while [ ! -e "$T/log/stop" ]; do
    list=$(minke ps -a --format '{{.Names}} {{.State}}' 2>&1 </dev/null) || wrong "ps: $list"
    [[ ! $list =~ (rror|unknown) ]] || wrong "ps: $list"
    name=${list%% *}
    [ -n "$name" ] || continue
    code=0
    list=$(minke inspect --format '{{.Name}}' "$name" 2>&1 </dev/null) || code=$?
    [ $code = 0 ] || [[ $list =~ 'no such' ]] || wrong "inspect $name: $list"
  done
}

observer & watching=$!
pids=()
for me in $(seq $clients); do
  client "$me" 2>>"$T/log/noise" &
  pids+=($!)
done
wait "${pids[@]}"
touch "$T/log/stop"
wait $watching

[ ! -s "$T/log/wrong" ] || fail "$(wc -l <"$T/log/wrong") wrong answers:
$(head -n 20 "$T/log/wrong")"
assert_eq "$clients" "$(cat "$T"/log/done.* | grep -c "^$((cycles / clients))\$")" 'clients that came to their end'

ok minke rm -fa -t 0
ok minke ps -aq
assert_eq '' "$out"
ok minke volume rm -fa
nothing() { [ -z "$(minke unshare find "$@" 2>/dev/null || find "$@")" ]; }
is_root && nothing() { [ -z "$(find "$@")" ]; }
for dir in r/containers r/names r/staging r/volumes u/containers; do
  [ ! -d "$T/$dir" ] || within 60 nothing "$T/$dir" -mindepth 1
done
within 60 nothing "$T/r/trash" -mindepth 1
processes() { grep -al "$T/" /proc/[0-9]*/cmdline 2>/dev/null | grep -v "/$$/" | xargs -r cat 2>/dev/null | tr '\0' ' ' | grep minke; }
within 60 eval '! processes'
ok run "$IMG" true
