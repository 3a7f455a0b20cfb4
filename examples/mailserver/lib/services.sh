# shellcheck shell=bash
# Each service: how it runs in the foreground, and the ports by which it is known to serve.

service_rsyslog() { exec rsyslogd -n -f /etc/rsyslog-mail.conf -i "$RUN/rsyslogd.pid"; }
service_opendkim() { exec opendkim -f -x /etc/opendkim-mail.conf; }
service_dovecot() { exec dovecot -F; }
# `postfix start-fg` would leave a shell in between, which a signal ends without the master.
service_postfix() { postfix check && exec "$(postconf -h daemon_directory)/master" -s; }
service_fail2ban() { exec fail2ban-server -xf start; }
service_changes() { exec /usr/bin/mail-changes; }

# The log comes first and goes last, for the others speak through it.
enabled_services() {
  echo rsyslog
  ! is_on ENABLE_OPENDKIM || echo opendkim
  is_on SMTP_ONLY || echo dovecot
  echo postfix
  ! is_on ENABLE_FAIL2BAN || echo fail2ban
  echo changes
}

ports_of() { # SERVICE
  case $1 in
    postfix)
      echo 25
      is_on SMTP_ONLY || echo 587
      [ -z "$SSL_TYPE" ] || is_on SMTP_ONLY || echo 465
      ;;
    dovecot)
      is_on ENABLE_IMAP || return 0
      echo 143
      [ -z "$SSL_TYPE" ] || echo 993
      ;;
    opendkim) echo 8891 ;;
  esac
}

# What is wrong with a service, in words; nothing when it serves.
complaint_about() { # SERVICE
  local pid port
  pid=$(cat "$RUN/$1.pid" 2>/dev/null || true)
  { [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; } || { echo "$1 does not run"; return; }
  [ ! -e "$RUN/$1.waits" ] || { echo "$1 has ended and waits for its next start"; return; }
  for port in $(ports_of "$1"); do
    [ -n "$(ss -Hltn "sport = :$port")" ] || { echo "$1 does not listen on port $port"; return; }
  done
  if [ "$1" = fail2ban ]; then
    fail2ban-client ping >/dev/null 2>&1 || echo 'fail2ban does not answer'
  fi
}
complaints() {
  local service
  for service in $(enabled_services); do complaint_about "$service"; done
}
