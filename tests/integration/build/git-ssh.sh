#!/bin/bash
# git repositories behind ssh, from a real sshd: the user's own keys and known hosts for what he names, an agent's (--ssh) for ADD.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'podman 4.3 has no git in ADD'
need_program git
need_program ssh-agent
[ -x /usr/sbin/sshd ] || skip 'no sshd'
[ -d /run/sshd ] || [ "$(id -u)" != 0 ] || IN_SSHD=(unshare -m sh -c 'mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && exec "$@"' sh)
need_image
mkdir empty
export HOME=$T/home GIT_CONFIG_NOSYSTEM=1
unset SSH_AUTH_SOCK
mkdir -p home/.ssh srv
chmod 700 home home/.ssh
git config --global user.name t
git config --global user.email t@example.test
git init -q srv/x.git
printf 'FROM localhost/busybox\nCOPY file /f\n' >srv/x.git/Containerfile
echo mine >srv/x.git/file
git -C srv/x.git add -A
git -C srv/x.git commit -q -m x
for name in host key stranger; do ssh-keygen -q -t ed25519 -N '' -f $name; done
cp key.pub authorized
for _ in 1 2 3 4 5; do
  port=$((20000 + RANDOM % 12000))
  cat >sshd.conf <<E
Port $port
ListenAddress 127.0.0.1
HostKey $T/host
AuthorizedKeysFile $T/authorized
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
E
  "${IN_SSHD[@]}" /usr/sbin/sshd -D -e -f "$T/sshd.conf" 2>sshd.log &
  sshd=$!
  within 20 eval '[ -n "$(ss -Htln "sport = :$port")" ] || ! kill -0 $sshd 2>/dev/null'
  ! kill -0 $sshd 2>/dev/null || break
done
trap 'code=$?; set +e; kill $sshd; wait $sshd 2>/dev/null; (exit $code); cleanup' EXIT
me=$(id -un)
GIT_SSH_COMMAND="ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i $T/key" \
  git ls-remote -q "ssh://$me@127.0.0.1:$port$T/srv/x.git" >/dev/null 2>ls.err || skip "no login by ssh here: $(tail -n 1 ls.err)"
url=ssh://$me@127.0.0.1:$port$T/srv/x.git

# neither the host nor the key is known
assert_error 125 'git fetch HEAD: .*Host key verification failed' minke build --network none "$url"
printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d' ' -f1,2 host.pub)" >home/.ssh/known_hosts
assert_error 125 'git fetch HEAD: .*Permission denied' minke build --network none "$url"

# the user's key; a word of his ssh's configuration; his own command
cp key home/.ssh/id_ed25519
ok minke build --network none -t a "$url"
ok run a cat /f
assert_eq mine "$out"
mv home/.ssh/id_ed25519 home/.ssh/other
printf 'Host forge\n  HostName 127.0.0.1\n  Port %s\n  HostKeyAlias [127.0.0.1]:%s\n  User %s\n  IdentityFile %s/home/.ssh/other\n' \
  "$port" "$port" "$me" "$T" >home/.ssh/config
echo again >srv/x.git/file
git -C srv/x.git commit -q -a -m y
ok minke build --network none -t b "ssh://forge$T/srv/x.git"
ok run b cat /f
assert_eq again "$out"
rm home/.ssh/config
ok env GIT_SSH_COMMAND="ssh -l $me -p $port -i $T/key -o BatchMode=yes -o UserKnownHostsFile=$T/home/.ssh/known_hosts" \
  "$MINKE" "${engine_options[@]}" build --network none -t c "git@127.0.0.1:$T/srv/x.git#HEAD"
ok run c cat /f

# ADD: what is in the Containerfile does not reach for the user's keys, but for those that --ssh gives
cp key home/.ssh/id_ed25519
printf 'FROM localhost/busybox\nADD %s /x\n' "$url" >C
assert_error 125 'git fetch HEAD: .*Permission denied' minke build --network none -f C empty
ok minke build --network none --ssh default="$T/key" -t d -f C empty
ok run d sh -c 'cat /x/file; ls -A /x'
assert_eq $'again\nContainerfile\nfile' "$out"
printf 'FROM localhost/busybox\nADD ssh://%s@127.0.0.1:%s%s/srv/none.git /x\n' "$me" "$port" "$T" >C
assert_error 125 "none.git.* does not (exist|appear)" minke build --network none --ssh default="$T/key" -f C empty
assert_error 125 'git fetch HEAD: .*Permission denied' minke build --network none --ssh default="$T/stranger" -f C empty
nothing_staged
