# shellcheck shell=bash
# For tests of netd alone: attachment records written by hand, and the namespace that its bridges are in.
# Root's tests run in a network namespace of their own, so that nothing of the machine is touched.
if [ "$(id -u)" = 0 ] && [ -z "${OWN_NETNS:-}" ]; then
  exec env OWN_NETNS=1 unshare --net --mount --propagation private "$0" "$@"
fi
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# shellcheck disable=SC2034 # for the scripts
DNS_PORT=27753 # netd's own, on each gateway
dnstool() { python3 "$(dirname "${BASH_SOURCE[0]}")/probe/dnstool.py" "$@"; }
need_program python3
need_program ip
ip link set lo up 2>/dev/null || true

netd() { minke system netd "$@"; }
status() { netd status | jq -r "$1"; }
netd_pid() { status .pid; }

# inside COMMAND...: where the bridges are.
inside() {
  if is_root; then "$@"; else
    nsenter -t "$(cut -d' ' -f1 "$T/u/userns")" -U --preserve-credentials -n "$@"
  fi
}

. "$(dirname "${BASH_SOURCE[0]}")/lib-names-record.sh"
forget() { rm -rf "$T/u/containers/$(id_of "$1")"; netd drop "$(id_of "$1")"; }

ask() { inside python3 "$(dirname "${BASH_SOURCE[0]}")/probe/dnstool.py" ask "$@"; }

# serve_names LOG ADDRESS PORT MOOD: a name server in the background.
serve_names() {
  python3 "$(dirname "${BASH_SOURCE[0]}")/probe/dnstool.py" serve "${@:2}" >"$1" &
  within 10 grep -q ready "$1"
}

# Containers stand for themselves as processes that sleep.
sleeper() {
  sleep 1000 &
  # shellcheck disable=SC2034 # for the scripts
  sleeper=$!
}

end_netd() {
  local pid
  pid=$(netd_pid 2>/dev/null) && kill "$pid"
  true
}
