#!/bin/bash
# Sockets of a service manager (LISTEN_FDS) at no published port go into the container as 3, 4, ..., before those of --preserve-fds.
# shellcheck disable=SC2154 # lib.sh sets them
. "$(dirname "$0")/../../lib-network.sh"
need_image
need_program python3
need_ports 3
handed() { timeout 60 "$(dirname "$0")/../../handed-sockets" "$@"; }
run() { handed "web=tcp:127.0.0.1:${port[0]}" "dns=udp:127.0.0.1:${port[1]}" -- "$MINKE" "${engine_options[@]}" run --rm --network none "$@"; }
show='echo $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES; for fd in 3 4 5 6; do readlink /proc/self/fd/$fd | sed "s/:.*//" || echo none; done'
ok run "$IMG" sh -c "$show"
assert_eq "2 1 web:dns
socket
socket" "$(head -3 <<<"$out")"
ok run --preserve-fds 2 "$IMG" sh -c "$show"
assert_eq '2 1 web:dns' "$(head -1 <<<"$out")"
# somebody else's are not ours
ok env LISTEN_FDS=1 LISTEN_PID=1 "$MINKE" "${engine_options[@]}" run --rm --network none "$IMG" sh -c 'echo "[$LISTEN_FDS]"'
assert_eq '[]' "$out"
assert_error 125 'LISTEN_FDS=x' env LISTEN_FDS=x bash -c 'LISTEN_PID=$$ exec "$@"' - "$MINKE" "${engine_options[@]}" run --rm --network none "$IMG" true
if is_root; then
  assert_error 125 "0.0.0.0:${port[2]}/tcp is at a published port, and root's are led by the kernel" \
    handed "tcp:0.0.0.0:${port[2]}" -- "$MINKE" "${engine_options[@]}" run --rm -p "${port[2]}:80" "$IMG" true
fi
nothing_left
