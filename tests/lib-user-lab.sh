# shellcheck shell=bash
# For tests of an ordinary user's containers and clients on other hosts: . lib.sh, then this one, then
# `user_lab <<'D'` with what runs in the lab (tests/lab/net-lab). There `m` is the engine on the server, as minke-test, with the
# busybox image loaded; files that it writes are in $T.
is_podman && skip 'it shows the container its own address'
id minke-test >/dev/null 2>&1 || skip 'no user minke-test'
need_program newuidmap
[ -c /dev/net/tun ] || skip 'no /dev/net/tun'

user_lab() {
  chmod 666 /dev/net/tun
  mkdir "$T/bin" "$T/home"
  cp "$BIN"/minke* "$T/bin/"
  cp "$IMAGES/busybox.tar" "$T/"
  chmod -R go+rX "$T/bin" "$T/busybox.tar"
  chmod go+rx "$T"
  chown minke-test "$T/home"
  {
    cat <<'D'
set -eu
m() { on-server-as minke-test "$T/bin/minke" --root "$T/home/r" --runroot "$T/home/u" "$@"; }
trap 'm system reset -f >/dev/null' EXIT
m load -q -i "$T/busybox.tar" >/dev/null
D
    cat
  } >driver
  export T
  timeout 250 "$(dirname "${BASH_SOURCE[0]}")/lab/net-lab" -- bash "$T/driver" >lab.log 2>&1 || fail "$(cat lab.log)"
}
