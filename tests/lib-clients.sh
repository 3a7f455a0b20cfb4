# shellcheck shell=bash
# shellcheck disable=SC2034 # for the scripts
# For scripts with clients on other hosts: . lib.sh, then this one, then `in_clients_lab "$@"`. From there on the script runs as root
# in the lab (tests/lab/net-lab): client (203.0.113.7, .8) -- router -- server (198.51.100.10), and `u` is the engine of an ordinary user on
# the server, `client` and `server` are netpeer there.

LAB_USER=minke-test
PEER=$(dirname "$PROBE")/netpeer
# shellcheck disable=SC2034 # for the scripts
C4=203.0.113.7 C4B=203.0.113.8 C6=2001:db8:113::7 S4=198.51.100.10 S6=2001:db8:100::10
serving=(-v "$PEER:/bin/netpeer:ro")

in_clients_lab() {
  [ -z "${IN_CLIENTS_LAB:-}" ] || { enter_clients_lab; return 0; }
  id "$LAB_USER" >/dev/null 2>&1 || skip "no user $LAB_USER"
  need_program newuidmap
  [ -c /dev/net/tun ] || skip 'no /dev/net/tun'
  chmod 666 /dev/net/tun
  local code=0
  IN_CLIENTS_LAB=1 timeout 280 "$(dirname "${BASH_SOURCE[0]}")/lab/net-lab" -- "$(readlink -f "$0")" "$@" || code=$?
  exit $code
}

enter_clients_lab() {
  mkdir "$LAB_DIR/engine" "$LAB_DIR/home"
  cp "$BIN"/minke* "$PEER" "$IMAGES/busybox.tar" "$LAB_DIR/engine/"
  chmod -R go+rX "$LAB_DIR/engine"
  chown "$LAB_USER" "$LAB_DIR/home"
  PEER=$LAB_DIR/engine/netpeer
  serving=(-v "$PEER:/bin/netpeer:ro")
  trap 'code=$?; set +e; u system reset -f >/dev/null 2>&1; (exit $code); cleanup' EXIT
  u load -q -i "$LAB_DIR/engine/busybox.tar" >/dev/null
}

u() { on-server-as "$LAB_USER" "$LAB_DIR/engine/minke" --root "$LAB_DIR/home/r" --runroot "$LAB_DIR/home/u" "$@"; }
client() { on-client timeout 5 "$PEER" "$@"; }
server() { on-server timeout 5 "$PEER" "$@"; }
# serve NAME PORT: in a container started with "${serving[@]}"
serve() {
  u exec -d "$1" netpeer serve "$2" >/dev/null
  within 20 eval 'u exec '"$1"' netstat -lnt | grep -q ":'"$2"' "'
}
