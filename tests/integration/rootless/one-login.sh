#!/bin/bash
# A login, su, sudo and cron are one: the same store, containers and user namespace, whatever the environment says.
# needs: root
. "$(dirname "$0")/../../lib.sh"
need_image

user=minke-login
id "$user" >/dev/null 2>&1 && fail "the user $user is there already"
useradd --no-create-home --home-dir "$T/home" --shell /bin/sh "$user"
uid=$(id -u "$user")
runtime_dir=/run/user/$uid
made_parent=
forget_login() {
  local code
  forget_user "$user"
  code=$?
  rm -rf "$runtime_dir" "/tmp/minke-run-$uid"
  [ -z "$made_parent" ] || rmdir /run/user
  return $code
}
trap 'forget_login; cleanup' EXIT
grep -q "^$user:" /etc/subuid || skip 'useradd gives no subordinate ids here'
mkdir -m 700 "$T/home"
chown "$user:" "$T/home"
cp "$IMAGES/busybox.tar" "$T/home/"
chown "$user:" "$T/home/busybox.tar"
engine=$(command -v "$MINKE")

as_user() { setpriv --reuid "$user" --regid "$user" --init-groups --inh-caps=-all env -i PATH=/usr/bin:/bin "$@"; }
# Each runs the engine with words that need no quotes.
by_login() { as_user HOME="$T/home" USER="$user" XDG_RUNTIME_DIR="$runtime_dir" "$engine" "$@"; }
by_su_login() { su - "$user" -c "$engine $*"; }
# the environment of root's own session comes along
by_su() { XDG_RUNTIME_DIR=/run/user/0 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/0/bus su "$user" -c "$engine $*"; }
by_sudo() { sudo -u "$user" -H "$engine" "$@"; }
by_cron() { as_user HOME="$T/home" LOGNAME="$user" SHELL=/bin/sh "$engine" "$@"; }

ways=(by_su_login by_su by_cron)
! command -v sudo >/dev/null || ways+=(by_sudo)

# all_see_what FIRST has: a container of the first is everybody's, in one user namespace.
all_see_what() {
  local way first=$1 ns
  ok "$first" load -q -i "$T/home/busybox.tar"
  ok "$first" run -d --name web --network none "$IMG" sleep 1000
  ok "$first" unshare readlink /proc/self/ns/user
  ns=$out
  for way in "${ways[@]}"; do
    ok "$way" ps --format '{{.Names}}{{.State}}'
    assert_eq webrunning "$out" "ps of $way"
    ok "$way" exec web readlink /proc/self/ns/user
    assert_eq "$ns" "$out" "exec of $way"
    ok "$way" run --name "$way" --network none "$IMG" readlink /proc/self/ns/user
    assert_eq "$ns" "$out" "the namespace of $way"
    ok "$first" rm "$way"
  done
  ok "${ways[0]}" rm -f -t 0 web
  ok "$first" system reset --force
}

# A session's folder that systemd-logind has made, and without one.
[ -d /run/user ] || { mkdir /run/user; made_parent=1; }
mkdir -m 700 "$runtime_dir"
chown "$user:" "$runtime_dir"
all_see_what by_login
[ ! -e "/tmp/minke-run-$uid" ] || fail 'a folder in /tmp beside that of the session'
rm -rf "$runtime_dir"
all_see_what by_cron
