# shellcheck shell=bash
# In place of lib.sh, for scripts that make bridges: the script runs in a network namespace of its own, so that
# interfaces, rules and ports are nobody else's.

if [ -z "${OWN_NETWORK:-}" ]; then
  export OWN_NETWORK=1
  if [ "$(id -u)" = 0 ]; then exec unshare --net -- "$0" "$@"; fi
fi
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck disable=SC2034 # lib.sh sets them
out='' err=''
! is_root || ip link set lo up

outside=''
# Another host: 192.0.2.2 and 2001:db8:2::2; this one is .1. Commands there: out COMMAND...
make_outside() {
  unshare --net -- sleep 1000 &
  outside=$!
  within 20 eval '[ "$(readlink /proc/$outside/ns/net)" != "$(readlink /proc/self/ns/net)" ] && [ "$(cat /proc/$outside/comm)" = sleep ]'
  ip link add outside type veth peer name eth0 netns "$outside"
  ip addr add 192.0.2.1/24 dev outside
  ip addr add 2001:db8:2::1/64 dev outside nodad
  ip link set outside up
  out ip link set lo up
  out ip addr add 192.0.2.2/24 dev eth0
  out ip addr add 2001:db8:2::2/64 dev eth0 nodad
  out ip link set eth0 up
}
out() { nsenter -t "$outside" -n -- "$@"; }

# on NETWORK... : a container of the busybox image that sleeps, in the background: on_net NAME NETWORK [OPTION...]
on_net() {
  local name=$1 network=$2
  shift 2
  minke run -d --name "$name" --network "$network" --cap-add net_raw "$@" "$IMG" sleep 1000 >/dev/null
}
address_of() { minke inspect --format "{{(index .NetworkSettings.Networks \"$2\").IPAddress}}" "$1"; }
address6_of() { minke inspect --format "{{(index .NetworkSettings.Networks \"$2\").GlobalIPv6Address}}" "$1"; }
# Of IPv4. What a network has follows from what this host uses, so no script takes a subnet for granted.
gateway_of() { minke network inspect --format '{{(index .Subnets 0).Gateway}}' "$1"; }
subnet_of() { minke network inspect --format '{{(index .Subnets 0).Subnet}}' "$1"; }

# Programs for both ends of connections: a server in a container started with "${serving[@]}", a client here.
PEER=$(dirname "$PROBE")/netpeer
# shellcheck disable=SC2034 # for the scripts
serving=(-v "$PEER:/bin/netpeer:ro")
# serve NAME PORT: tells each client its own address and port
serve() {
  minke exec -d "$1" netpeer serve "$2" >/dev/null
  within 20 eval 'minke exec '"$1"' netstat -lnt | grep -q ":'"$2"' "'
}
# seen_as tcp|udp ADDRESS PORT: the address that the server sees
seen_as() { timeout 5 "$PEER" ask "$@" | cut -d' ' -f1; }

# The daemon goes a while after the last container.
daemon_gone() {
  [ -e "$T/u" ] || return 0
  minke rm -fa -t 0 >/dev/null 2>&1 || true
  local end=$((SECONDS + 30))
  while [ -e "$T/u/netd.sock" ] && [ $SECONDS -lt $end ]; do sleep 0.1; done
}
trap 'code=$?; set +e; daemon_gone; (exit $code); cleanup' EXIT

# inside COMMAND...: where the bridges are; a user's are in a namespace of the user's own.
inside() {
  if is_root; then "$@"; else
    nsenter -t "$(cut -d' ' -f1 "$T/u/userns")" -U --preserve-credentials -n -- "$@"
  fi
}

# Nothing of ours is left in the kernel or in the run folder but bridges, which stay for their network's next container; and a user's
# daemon ends.
nothing_left() {
  within 20 eval '! inside ip -br link | grep -q ^veth' # the kernel takes them when their namespace is gone
  assert_eq '' "$(find "$T/u/networks" -path '*/leases/*' 2>/dev/null || true)" 'leases left'
  assert_eq '' "$(ls -A "$T/u/ports" 2>/dev/null || true)" 'ports left'
  is_root || within 30 [ ! -e "$T/u/netd.sock" ]
}

# need_ports COUNT: ports of this host that are free, in the array $port; users have no host of their own.
need_ports() {
  local free=$((20000 + RANDOM % 10000)) used
  used=$(ss -Hlntu | awk '{print $5}')
  port=()
  while [ ${#port[@]} -lt "$1" ]; do
    free=$((free + 1))
    grep -q ":$free$" <<<"$used" || port+=("$free")
  done
}
