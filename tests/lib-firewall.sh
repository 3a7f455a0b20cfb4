# shellcheck shell=bash
# Real firewalls in a network namespace of the test. After lib.sh or lib-network.sh.

# start_firewalld [COMMAND...]: firewalld with a bus and a configuration of its own, in $T; COMMAND runs it where it is to rule
# (nsenter ...). Its zone is public, which rejects what no service of it takes.
start_firewalld() {
  need_program firewalld
  need_program dbus-daemon
  chmod go+x "$T"
  mkdir -p "$T/firewalld"
  export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$T/firewalld/bus"
  chmod 777 "$T/firewalld" # the bus runs as a user of its own
  dbus-daemon --system --address="$DBUS_SYSTEM_BUS_ADDRESS" --nofork --nopidfile >"$T/firewalld/bus.log" 2>&1 &
  firewall_pids=$!
  within 20 [ -S "$T/firewalld/bus" ]
  "$@" firewalld --nofork --nopid --system-config "$T/firewalld" --log-file "$T/firewalld/log" >"$T/firewalld/out" 2>&1 &
  firewall_pids+=" $!"
  within 40 eval '[ "$(firewall-cmd --state 2>/dev/null)" = running ]'
}
stop_firewalld() {
  # shellcheck disable=SC2086 # several
  [ -z "${firewall_pids:-}" ] || kill $firewall_pids 2>/dev/null || true
}
