#!/bin/bash
# /dev holds the usual nodes, and nothing of the host's.
. "$(dirname "$0")/../../lib.sh"
need_image

ok run "$IMG" sh -c 'for d in null zero full random urandom tty; do test -c /dev/$d || echo $d; done; for l in ptmx fd stdin; do readlink /dev/$l; done; echo x >/dev/null; ls /dev'
assert_no_match '(^|[[:space:]])(kmsg|vda|sda|mem|kvm)($|[[:space:]])' "$out"
assert_match $'^pts/ptmx\n/proc/self/fd\n/proc/self/fd/0' "$out"
