#!/bin/bash
# --passwd-entry, --group-entry and --hostuser: lines of /etc/passwd and /etc/group.
. "$(dirname "$0")/../../lib.sh"
need_image

last() { run "$@" "$IMG" sh -c 'tail -n 1 /etc/passwd'; }
assert_eq '77:x:77:0:container user:/:/bin/sh' "$(last --passwd-entry '$USERNAME:x:$UID:$GID:$NAME:$HOME:/bin/sh' -u 77)"
assert_eq 'me:x:1234:1234:Me:/me:/bin/zsh' "$(last --passwd-entry 'me:x:1234:1234:Me:/me:/bin/zsh' -u 1234:1234)"
# a user that the image knows gets no line
assert_no_match 'NOPE' "$(last --passwd-entry 'NOPE:x:0:0::/:/bin/sh' -u root)"

# somebody of the host whom the image does not know
known=$(run "$IMG" cut -d: -f1,3 /etc/passwd | tr ':' '\n')
user=$(getent passwd | awk -F: -v known="$known" 'BEGIN {n = split(known, k, "\n"); for (i = 1; i <= n; i++) has[k[i]] = 1}
  $3 >= 1000 && $3 < 60000 && !($1 in has) && !($3 in has) {print $1; exit}')
if [ -n "$user" ]; then
  IFS=: read -r _ _ uid gid name home _ < <(getent passwd "$user")
  assert_eq "$user:*:$uid:$gid:$name:/:/bin/sh" "$(run --hostuser "$user" "$IMG" grep "^$user:" /etc/passwd)"
  mkdir home
  # his own home only where something is mounted there
  assert_eq "$user:*:$uid:$gid:$name:$home:/bin/sh" "$(run --hostuser "$user" -v "$PWD/home:$home" "$IMG" grep "^$user:" /etc/passwd)"
fi
expect_exit "$(is_podman && echo 126 || echo 125)" minke run --rm --network none --hostuser nosuchuser "$IMG" true
assert_match 'unknown user nosuchuser' "$err"
is_podman && exit 0
assert_eq 'grp:x:1234:' "$(run --group-entry 'grp:x:1234:' -u 5:1234 "$IMG" sh -c 'tail -n 1 /etc/group')"
