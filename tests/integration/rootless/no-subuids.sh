#!/bin/bash
# A user without a line in /etc/subuid has one id: said once with the way out of it, and containers run all the same.
# needs: root
. "$(dirname "$0")/../../lib.sh"
need_image

user=minke-bare
if ! id "$user" >/dev/null 2>&1; then
  useradd --no-create-home --home-dir /nonexistent --shell /bin/sh --key SUB_UID_COUNT=0 --key SUB_GID_COUNT=0 "$user"
  trap 'forget_user "$user"; cleanup' EXIT
fi
! grep -q "^$user:" /etc/subuid || fail "$user has subordinate ids"
mkdir -m 700 "$T/home" "$T/run"
chown "$user:" "$T/home" "$T/run"
as_user() {
  setpriv --reuid "$user" --regid "$user" --clear-groups --inh-caps=-all env -i PATH="$PATH" HOME="$T/home" USER="$user" \
    XDG_RUNTIME_DIR="$T/run" "$MINKE" "$@"
}
mkdir "$T/i"
cp "$IMAGES/busybox.tar" "$T/i/"
chmod -R go+rX "$T/i"

# Said by the first command of the login, in one line.
ok as_user load -q -i "$T/i/busybox.tar"
assert_match "user $user has no subordinate ids.*usermod --add-subuids" "$err"
assert_eq 1 "$(wc -l <<<"$err")" 'lines said'
expect_exit 0 as_user run --rm --network none "$IMG" sh -c 'id -u; echo x >/tmp/f; cat /tmp/f'
assert_eq $'0\nx' "$out"
assert_eq '' "$err"
# What needs a second id says so in one line and leaves nothing.
expect_exit 125 as_user run --rm --network none --user 1000 "$IMG" true
assert_eq '' "$(as_user ps -aq)"
ok as_user system reset --force
