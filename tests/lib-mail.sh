# shellcheck shell=bash
# For tests of the mail server (examples/mailserver): . lib.sh, then this one.
#
# `need_mail_image` puts the image into this test's own store. It is built once, by `minke build` from Debian's packages, and kept
# beside the other images or in the user's cache under a digest of what it is made from.
# `in_mail_lab "$@"` runs the script again on a machine of three hosts (tests/lab/net-lab): the client (203.0.113.7 and .8) sees the server
# over a router. There `m` is the engine on the server, as the ordinary user minke-test, or as root after MAIL_OWNER=root.

mail_tests=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
mail_source=$mail_tests/../examples/mailserver
MAIL_CLIENT=$mail_tests/mail/client
MAIL_IMAGE=localhost/mailserver:latest

# mail_archive: its path, in $mail_tar; made when it is not there.
: "${mail_tar:=}"
mail_archive() {
  local digest cache dir
  need_program python3
  [ -e "$IMAGES/debian.tar" ] || skip 'no debian image'
  digest=$({ tar -xOf "$IMAGES/debian.tar" manifest.json; cd "$mail_source" && find . -type f ! -name '*.md' -print0 | sort -z | xargs -0 sha256sum; } | sha256sum | cut -c1-16)
  cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/minke-tests
  for dir in "$IMAGES" "$cache"; do
    mail_tar=$dir/mailserver-$digest.tar
    [ ! -e "$mail_tar" ] || return 0
  done
  mkdir -p "$cache"
  exec 7>"$cache/mailserver.lock"
  flock 7
  if [ ! -e "$mail_tar" ]; then
    rm -f "$cache"/mailserver-*.tar
    build_mail_image 7>&-
    minke save -q -o "$mail_tar.new" "$MAIL_IMAGE" 7>&-
    minke rmi -f -a 7>&- >/dev/null
    mv "$mail_tar.new" "$mail_tar"
  fi
  exec 7>&-
  [ ! -w "$IMAGES" ] || { cp "$mail_tar" "$IMAGES/.mail.$$" && chmod 644 "$IMAGES/.mail.$$" && mv "$IMAGES/.mail.$$" "$IMAGES/${mail_tar##*/}"; }
}

build_mail_image() {
  need_image debian
  minke tag localhost/debian:latest docker.io/library/debian:12-slim
  if ! minke build --network host -t "$MAIL_IMAGE" "$mail_source" >"$T/build.log" 2>&1; then
    ! grep -qE 'Could not (resolve|connect)|Failed to fetch|Temporary failure' "$T/build.log" || skip "Debian's packages cannot be had here"
    fail "the mail image could not be built: $(tail -n 40 "$T/build.log")"
  fi
}

need_mail_image() {
  mail_archive
  minke load -q -i "$mail_tar" >/dev/null
}

in_mail_lab() {
  [ -z "${IN_MAIL_LAB:-}" ] || { enter_mail_lab; return 0; }
  [ "${MAIL_OWNER:-}" = root ] || id minke-test >/dev/null 2>&1 || skip 'no user minke-test'
  is_podman && skip 'its containers do not see who the client is'
  need_program ip
  [ "${MAIL_OWNER:-}" = root ] || [ -c /dev/net/tun ] || skip 'no /dev/net/tun'
  mail_archive
  export IN_MAIL_LAB=1 mail_tar
  local code=0
  "$mail_tests/lab/net-lab" --low-ports -- "$(readlink -f "$0")" "$@" || code=$?
  exit $code
}

enter_mail_lab() {
  local user=minke-test
  chmod 711 "$T"
  mkdir "$T/bin" "$T/home"
  cp "$BIN"/minke* "$T/bin/"
  cp "$mail_tar" "$T/mail.tar"
  chmod -R go+rX "$T/bin" "$T/mail.tar"
  if [ "${MAIL_OWNER:-}" = root ]; then
    m() { on-server "$T/bin/minke" --root "$T/home/r" --runroot "$T/home/u" "$@"; }
  else
    chown "$user" "$T/home"
    chmod 666 /dev/net/tun
    m() { on-server-as minke-test "$T/bin/minke" --root "$T/home/r" --runroot "$T/home/u" "$@"; }
  fi
  trap 'code=$?; set +e; [ $code = 0 ] || m logs mail >&2; m system reset -f >/dev/null 2>&1; umount /etc/resolv.conf; (exit $code); cleanup' EXIT
  # nobody answers names here: the router says so at once, where the machine's own servers would be waited for
  echo "nameserver $LAB_ROUTER4" >"$T/resolv.conf"
  chmod 644 "$T/resolv.conf"
  mount --bind "$T/resolv.conf" /etc/resolv.conf
  m load -q -i "$T/mail.tar" >/dev/null
  m network create --subnet 172.30.0.0/24 --subnet fd00:30::/64 mailnet >/dev/null
}

# start_mail [OPTION...]: a new server with its five ports, and two accounts.
start_mail() {
  m rm -f -t 0 mail >/dev/null 2>&1 || true
  m run -d --name mail --network mailnet --hostname mail.example.test -e SSL_TYPE=self-signed \
    -p 25:25 -p 143:143 -p 465:465 -p 587:587 -p 993:993 "$@" "$MAIL_IMAGE" >/dev/null
  within 60 mail_account alice@example.test secret-a
  mail_account bob@example.test secret-b
  within 120 m exec mail healthcheck
}
# A configuration that is kept may have it already.
mail_account() { # ADDRESS PASSWORD
  m exec mail setup email add "$@" 2>/dev/null || m exec mail setup email update "$@" 2>/dev/null
}
client() { on-client "$MAIL_CLIENT" "$@"; }
has_mail() { # USER PASSWORD SUBJECT
  client list "$LAB_SERVER4" 993 tls=wrap user="$1" password="$2" | grep -qxF "$3"
}
# What the server has logged.
mail_log() { m exec mail cat /var/log/mail/mail.log; }
