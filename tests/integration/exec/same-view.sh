#!/bin/bash
# exec sees what the container sees: namespaces, capabilities, cgroup, root and environment.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c -e FROM=run --cap-drop chown "$IMG" sleep 100 >/dev/null

ok minke exec -e EXTRA=1 c probe report security namespaces files
exec_view=$out
assert_eq 1 "$(field "$exec_view" .env.EXTRA)"
assert_eq run "$(field "$exec_view" .env.FROM)"
assert_eq 00000000800405fa "$(field "$exec_view" .caps.CapBnd)"
assert_eq 2 "$(field "$exec_view" .seccomp)"
pid=$(minke inspect --format '{{.State.Pid}}' c)
for n in mnt pid ipc uts net cgroup; do
  assert_eq "$(stat -L -c %i "/proc/$pid/ns/$n")" "$(field "$exec_view" ".namespaces.$n")" "$n"
done
