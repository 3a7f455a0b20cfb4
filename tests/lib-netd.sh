# shellcheck shell=bash
# For tests of minke-netd's data plane in the lab (tests/lab/net-lab): . lib.sh, then this one, then `in_lab "$@"`.
# From there on the script runs as root on a machine of three hosts: client (203.0.113.7) -- router -- server (198.51.100.10).
# On the server, `make_plane root|user` makes N with a bridge and the data plane (test/plane), owned by root or by an
# ordinary user; `make_container NAME ADDRESS...` a container's network namespace with a server (netpeer) on port 7.

PEER=$(dirname "$PROBE")/netpeer PLANE_PROGRAM=$(dirname "$PROBE")/plane
PLANE_USER=${PLANE_USER:-minke-test}
# shellcheck disable=SC2034 # for the scripts
C4=203.0.113.7 C4B=203.0.113.8 C6=2001:db8:113::7 C6B=2001:db8:113::8 S4=198.51.100.10 S6=2001:db8:100::10

in_lab() {
  [ -z "${IN_NETD_LAB:-}" ] || { enter_lab; return 0; }
  need_program nft
  need_program ip
  export IN_NETD_LAB=1
  local code=0
  "$(dirname "${BASH_SOURCE[0]}")/lab/net-lab" -- "$(readlink -f "$0")" "$@" || code=$?
  exit $code
}

enter_lab() {
  set -E
  trap 'echo "FAILED at line $LINENO, exit code $?: $BASH_COMMAND" >&2' ERR # what set -e ends says nothing by itself
  cp "$PEER" "$PLANE_PROGRAM" "$LAB_DIR/bin/"
  chmod 755 "$LAB_DIR/bin/netpeer" "$LAB_DIR/bin/plane"
  PEER=$LAB_DIR/bin/netpeer
}

# for_each_owner FUNCTION: as root, and as an ordinary user where there is one.
for_each_owner() {
  "$1" root
  drop_plane
  getent passwd "$PLANE_USER" >/dev/null || { echo "no user $PLANE_USER: as root alone" >&2; return 0; }
  "$1" user
  drop_plane
}

N='' plane_pid='' lab_pids=()
in_n() { nsenter -t "$N" -n -- "$@"; }
wait_netns() { # PID: until it has a network namespace of its own
  local other=$LAB_SERVER_PID
  within 20 eval "[ -e /proc/$1/ns/net ] && [ \"\$(readlink /proc/$1/ns/net)\" != \"\$(readlink /proc/$other/ns/net)\" ] && [ \"\$(cat /proc/$1/comm)\" = sleep ]"
}

add_address() { # WHERE ADDRESS/LENGTH INTERFACE
  local options=()
  [[ $2 != *:* ]] || options=(nodad)
  "$1" ip addr add "$2" dev "$3" "${options[@]}"
}
# With CARRY=1 outbound TCP is carried too.
make_plane() { # root|user [OPTION...]
  local who=$1
  shift
  if [ "$who" = root ]; then
    on-server unshare -n sleep infinity >/dev/null 2>&1 &
    N=$!
  else
    N=$(on-server-as -b "$PLANE_USER" unshare -Urn sleep infinity)
    set -- --user "$@"
  fi
  lab_pids+=("$N")
  wait_netns "$N"
  if [ "$who" = root ]; then
    coproc PLANE { exec on-server plane "$N" "$@" 2>>"$T/plane.log"; }
  else
    coproc PLANE { exec on-server-as "$PLANE_USER" plane "$N" "$@" 2>>"$T/plane.log"; }
  fi
  # shellcheck disable=SC2153 # set by coproc
  plane_pid=$PLANE_PID
  exec 8<&"${PLANE[0]}" 9>&"${PLANE[1]}"
  assert_eq ready "$(answer)" 'plane'
  plane_do prepare ${CARRY:+carry}
  plane_do bridge br0 10.89.0.0/24=10.89.0.1 fd00:89::/64=fd00:89::1
}

answer() {
  local line
  IFS= read -r -t 60 line <&8 || fail "the plane does not answer: $(cat "$T/plane.log")"
  echo "$line"
}
tell() {
  kill -0 "$plane_pid" 2>/dev/null || fail "the plane has ended: $(cat "$T/plane.log")"
  echo "$*" >&9
}
plane_do() { # what it answers must be ok
  tell "$@"
  assert_match 'ok$' "$(answer)" "$*"
}
plane_ask() {
  tell "$@"
  answer
}
stat_of() { plane_ask stats | tr ' ' '\n' | sed -n "s/^$1=//p"; }

# A container: its namespace, each address on a bridge of its own (the first is br0, the second br1, ...), default routes by the
# first. With `--no-default` none. Its process is in $CONTAINER; in_c runs there.
CONTAINER=''
in_c() { nsenter -t "$CONTAINER" -n -- "$@"; }
make_container() { # [--no-default] ADDRESS/LENGTH[,ADDRESS/LENGTH]...
  local default=1 i=0 set a
  [ "$1" != --no-default ] || { default=''; shift; }
  on-server unshare -n sleep infinity >/dev/null 2>&1 &
  CONTAINER=$!
  lab_pids+=("$CONTAINER")
  wait_netns "$CONTAINER"
  in_c ip link set lo up
  for set; do
    ip link add "v$CONTAINER-$i" netns "$N" type veth peer name "eth$i" netns "$CONTAINER"
    in_n ip link set "v$CONTAINER-$i" master "br$i" up
    in_c ip link set "eth$i" up
    for a in ${set//,/ }; do add_address in_c "$a" "eth$i"; done
    i=$((i + 1))
  done
  if [ -n "$default" ]; then
    in_c ip route add default via 10.89.0.1 congctl reno # as the engine lays it
    in_c ip -6 route add default via fd00:89::1 congctl reno 2>/dev/null || true
  fi
  serve_in "$CONTAINER" 7
}

serve_in() { # PID PORT
  nsenter -t "$1" -n -- "$PEER" serve "$2" >"$T/serve.$1.$2" 2>&1 &
  lab_pids+=($!)
  within 20 grep -q ready "$T/serve.$1.$2"
}
served() { cat "$T/serve.$CONTAINER.7"; }

client() { on-client "$PEER" "$@"; }
server() { on-server "$PEER" "$@"; }
memory_kib() { awk '/^VmRSS/ {print $2}' "/proc/$(plane_process)/status"; }
# memory_below KIB: of the plane, unless it was built with sanitizers.
memory_below() {
  local now libraries
  now=$(memory_kib) libraries=$(ldd "$PLANE_PROGRAM" 2>&1 || true)
  [[ $libraries =~ lib(asan|tsan) ]] || [ "$now" -lt "$1" ] || fail "$now KiB of memory, not below $1"
}
plane_process() { # below nsenter and setpriv it has the same pid: they exec
  echo "$plane_pid"
}

drop_plane() {
  [ -n "$plane_pid" ] || return 0
  exec 8<&- 9>&-
  kill "$plane_pid" 2>/dev/null || true
  wait "$plane_pid" 2>/dev/null || true
  kill "${lab_pids[@]}" 2>/dev/null || true
  wait "${lab_pids[@]}" 2>/dev/null || true
  plane_pid='' lab_pids=()
}
