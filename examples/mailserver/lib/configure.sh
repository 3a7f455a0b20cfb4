# shellcheck shell=bash
# From the settings to the files of each service. Run at each start, and always from what the image holds: a container that is started
# again gets the same files.

configure_all() {
  local networks
  make_settings
  log info "$HOST, mail for $DOMAIN"
  set_clock
  set_owner
  keep_state
  make_tls
  networks=$(trusted_networks)
  configure_postfix "$networks"
  is_on SMTP_ONLY || configure_dovecot
  with_lock apply_accounts
  ! is_on ENABLE_OPENDKIM || configure_opendkim "$networks"
  ! is_on ENABLE_FAIL2BAN || configure_fail2ban
  if [ -f "$CONFIG/user-patches.sh" ]; then
    log info "running $CONFIG/user-patches.sh"
    bash "$CONFIG/user-patches.sh" || die "$CONFIG/user-patches.sh ended with exit code $?"
  fi
}

# /etc/localtime may be a mount of the host's; the daemons take TZ from the environment anyway.
set_clock() {
  [ -n "${TZ:-}" ] || return 0
  [ -e "/usr/share/zoneinfo/$TZ" ] || die "TZ=$TZ: there is no such time zone"
  mountpoint -q /etc/localtime || ln -sfn "/usr/share/zoneinfo/$TZ" /etc/localtime
}

set_owner() {
  [ "$(id -u vmail):$(id -g vmail)" = "$DMS_VMAIL_UID:$DMS_VMAIL_GID" ] ||
    { groupmod -o -g "$DMS_VMAIL_GID" vmail && usermod -o -u "$DMS_VMAIL_UID" vmail; } || die 'the owner of the mail cannot be changed'
  # a volume of another image, or an empty one
  [ "$(stat -c %u:%g /var/mail)" = "$DMS_VMAIL_UID:$DMS_VMAIL_GID" ] || chown -R vmail:vmail /var/mail
}

# The queue, sieve's and fail2ban's memory live in $STATE under docker-mailserver's names, so that they outlast the container.
keep_state() {
  local dir kept
  for dir in spool/postfix lib/postfix lib/dovecot lib/fail2ban; do
    kept=$STATE/${dir//\//-}
    if [ ! -d "$kept" ]; then
      mkdir -p "$kept.new"
      [ ! -d "/var/$dir" ] || cp -a "/var/$dir/." "$kept.new/"
      mv -T "$kept.new" "$kept"
    fi
    [ -L "/var/$dir" ] || { rm -rf "/var/${dir:?}"; ln -s "$kept" "/var/$dir"; }
  done
  # the ids of another image may differ
  chown root:root "$STATE" "$STATE/spool-postfix"
  chown -R postfix:postfix "$STATE/lib-postfix"
  for dir in active bounce corrupt defer deferred flush hold incoming maildrop private public saved trace; do
    [ ! -d "$STATE/spool-postfix/$dir" ] || chown -R postfix "$STATE/spool-postfix/$dir"
  done
  for dir in maildrop public; do
    [ ! -d "$STATE/spool-postfix/$dir" ] || chgrp -R postdrop "$STATE/spool-postfix/$dir"
  done
  [ ! -d "$STATE/spool-postfix/maildrop" ] || chmod 1730 "$STATE/spool-postfix/maildrop"
  [ ! -d "$STATE/spool-postfix/public" ] || chmod 2710 "$STATE/spool-postfix/public"
}

configure_postfix() { # NETWORKS
  local dir=/etc/postfix set=() unset=()
  install -m 644 "$dir/main.cf.image" "$dir/main.cf"
  install -m 644 "$dir/master.cf.image" "$dir/master.cf"
  set=("myhostname = $HOST" "mydomain = $DOMAIN" "mynetworks = $1" "inet_protocols = $POSTFIX_INET_PROTOCOLS"
    "message_size_limit = $POSTFIX_MESSAGE_SIZE_LIMIT" "relayhost = $DEFAULT_RELAY_HOST")
  if [ -z "$SSL_TYPE" ]; then
    set+=('smtpd_tls_security_level = none' 'smtpd_tls_auth_only = no')
    postconf -MX submissions/inet
    postconf -P 'submission/inet/smtpd_tls_security_level=none'
  fi
  is_on ENABLE_OPENDKIM || set+=('smtpd_milters =' 'non_smtpd_milters =')
  ! is_on SPOOF_PROTECTION || set+=("mua_sender_restrictions = check_sender_access hash:/etc/postfix/send-access, reject_authenticated_sender_login_mismatch, permit")
  if is_on SMTP_ONLY; then
    # nobody to ask for passwords, and no mailbox
    set+=('virtual_transport = error:5.1.1 this server keeps no mail' 'smtpd_sasl_path = none')
    postconf -MX submission/inet
    postconf -MX submissions/inet 2>/dev/null || true
  fi
  postconf "${set[@]}"
  echo "$DOMAIN" >/etc/mailname
  # the administrator's last word, a setting a line: NAME = VALUE; SERVICE/TYPE/NAME = VALUE
  mapfile -t set < <(lines_of "$CONFIG/postfix-main.cf")
  [ ${#set[@]} = 0 ] || postconf "${set[@]}" || die "$CONFIG/postfix-main.cf: Postfix does not take it"
  mapfile -t unset < <(lines_of "$CONFIG/postfix-master.cf")
  [ ${#unset[@]} = 0 ] || postconf -P "${unset[@]}" || die "$CONFIG/postfix-master.cf: Postfix does not take it"
}

configure_dovecot() {
  local protocols='lmtp' listen='*, ::' tls='ssl = no' plain=no
  ! is_on ENABLE_IMAP || protocols='imap lmtp'
  [ "$DOVECOT_INET_PROTOCOLS" != ipv4 ] && [ -e /proc/net/if_inet6 ] || listen='*'
  [ "$DOVECOT_INET_PROTOCOLS" != ipv6 ] || listen='::'
  if [ -n "$SSL_TYPE" ]; then
    tls=$'ssl = required\nssl_cert = </etc/mailserver/tls/cert.pem\nssl_key = </etc/mailserver/tls/key.pem' plain=yes
  fi
  replace_file /etc/dovecot/settings.conf <<D
protocols = $protocols
listen = $listen
hostname = $HOST
postmaster_address = $POSTMASTER_ADDRESS
disable_plaintext_auth = $plain
$tls
mail_uid = $DMS_VMAIL_UID
mail_gid = $DMS_VMAIL_GID
first_valid_uid = $DMS_VMAIL_UID
last_valid_uid = $DMS_VMAIL_UID
D
  if is_on ENABLE_QUOTAS; then
    replace_file /etc/dovecot/quota.conf <<D
mail_plugins = quota
protocol lmtp {
  mail_plugins = quota sieve
}
protocol imap {
  mail_plugins = quota imap_quota
}
plugin {
  quota = maildir:User quota
  quota_rule = *:bytes=$POSTFIX_MAILBOX_SIZE_LIMIT
}
D
  else
    printf 'protocol lmtp {\n  mail_plugins = sieve\n}\n' | replace_file /etc/dovecot/quota.conf
  fi
  lines_of "$CONFIG/dovecot.cf" | replace_file /etc/dovecot/local.conf
  doveconf -n >/dev/null || die 'Dovecot does not take its settings (dovecot.cf?)'
}

# Keys and tables are those of `setup config dkim`, in docker-mailserver's places.
configure_opendkim() { # NETWORKS
  local from=$CONFIG/opendkim
  rm -rf /etc/opendkim/keys
  install -d -m 750 -o opendkim -g opendkim /etc/opendkim /etc/opendkim/keys
  for name in KeyTable SigningTable; do lines_of "$from/$name" >"/etc/opendkim/$name"; done
  {
    printf '127.0.0.1\nlocalhost\n'
    tr ' ' '\n' <<<"$1" | sed -e '/^$/d' -e 's/[][]//g'
    lines_of "$from/TrustedHosts"
  } | sort -u >/etc/opendkim/TrustedHosts
  if [ -d "$from/keys" ]; then
    cp -R "$from/keys/." /etc/opendkim/keys/
    chown -R opendkim:opendkim /etc/opendkim/keys
    chmod -R u=rwX,go= /etc/opendkim/keys
  else
    log warn 'no DKIM key: outgoing mail is not signed (setup config dkim)'
  fi
}

configure_fail2ban() {
  nft list tables >/dev/null 2>&1 || die 'ENABLE_FAIL2BAN=1 needs --cap-add NET_ADMIN: without it nothing can be banned'
  printf '[Init]\nblocktype = %s\n' "$FAIL2BAN_BLOCKTYPE" >/etc/fail2ban/action.d/nftables.local
  # after ours, in the order of names
  rm -f /etc/fail2ban/jail.d/90-user.local /etc/fail2ban/fail2ban.d/user.local
  [ ! -f "$CONFIG/fail2ban-jail.cf" ] || install -m 644 "$CONFIG/fail2ban-jail.cf" /etc/fail2ban/jail.d/90-user.local
  [ ! -f "$CONFIG/fail2ban-fail2ban.cf" ] || install -m 644 "$CONFIG/fail2ban-fail2ban.cf" /etc/fail2ban/fail2ban.d/user.local
  # the jails want the file, and a second start shall not read yesterday's
  touch "$LOGS/mail.log"
}
