# shellcheck shell=bash
# The environment, as docker-mailserver names it: defaults, values that are allowed, and what this image does not have.

setting() { # NAME DEFAULT [ALLOWED-PATTERN]
  local value=${!1:-$2}
  [ -z "${3:-}" ] || [[ $value =~ ^($3)$ ]] || die "$1=$value: it must be one of ${3//|/, }"
  printf -v "$1" %s "$value"
  printf '%s=%q\n' "$1" "$value" >>"$SETTINGS.new"
}

# Names of docker-mailserver that switch something on which is not in this image.
absent=(ENABLE_AMAVIS ENABLE_CLAMAV ENABLE_SPAMASSASSIN ENABLE_RSPAMD ENABLE_RSPAMD_REDIS ENABLE_POSTGREY ENABLE_POP3 ENABLE_MANAGESIEVE
  ENABLE_FETCHMAIL ENABLE_GETMAIL ENABLE_SRS ENABLE_SASLAUTHD ENABLE_MTA_STS ENABLE_DNSBL ENABLE_OAUTH2 ENABLE_OPENDMARC
  ENABLE_POLICYD_SPF ENABLE_UPDATE_CHECK)

make_settings() {
  mkdir -p "$RUN"
  : >"$SETTINGS.new"
  setting LOG_LEVEL info 'error|warn|info|debug|trace'
  HOST=${OVERRIDE_HOSTNAME:-$(hostname -f 2>/dev/null || true)}
  [[ $HOST = *.* ]] || die "the host name '$HOST' has no domain: give --hostname mail.example.org, or OVERRIDE_HOSTNAME"
  # mail.example.org serves example.org, example.org itself
  DOMAIN=$HOST
  [[ $HOST != *.*.* ]] || DOMAIN=${HOST#*.}
  setting HOST "$HOST"
  setting DOMAIN "$DOMAIN"
  setting PERMIT_DOCKER none 'none|container|host|network|connected-networks'
  setting NETWORK_INTERFACE eth0
  setting SSL_TYPE '' '|self-signed|manual|letsencrypt'
  setting SSL_CERT_PATH ''
  setting SSL_KEY_PATH ''
  setting POSTMASTER_ADDRESS "postmaster@$DOMAIN"
  setting POSTFIX_INET_PROTOCOLS all 'all|ipv4|ipv6'
  setting DOVECOT_INET_PROTOCOLS "$POSTFIX_INET_PROTOCOLS" 'all|ipv4|ipv6'
  setting POSTFIX_MESSAGE_SIZE_LIMIT 10240000 '[0-9]+'
  setting POSTFIX_MAILBOX_SIZE_LIMIT 0 '[0-9]+'
  setting DEFAULT_RELAY_HOST ''
  setting SMTP_ONLY 0 '0|1'
  setting SPOOF_PROTECTION 0 '0|1'
  setting ENABLE_IMAP 1 '0|1'
  setting ENABLE_QUOTAS 1 '0|1'
  setting ENABLE_OPENDKIM 1 '0|1'
  setting ENABLE_FAIL2BAN 0 '0|1'
  setting FAIL2BAN_BLOCKTYPE drop 'drop|reject'
  setting LOGROTATE_INTERVAL weekly 'daily|weekly|monthly'
  setting LOGROTATE_COUNT 4 '[1-9][0-9]*'
  setting DMS_VMAIL_UID 5000 '[1-9][0-9]*'
  setting DMS_VMAIL_GID 5000 '[1-9][0-9]*'
  local name
  for name in "${absent[@]}"; do
    ! is_on "$name" || log warn "$name=1: this image has no such service"
  done
  mv "$SETTINGS.new" "$SETTINGS"
}

# For commands beside the server: what it was started with; without a server (minke run --rm IMAGE setup ...) the defaults.
read_settings() {
  [ -e "$SETTINGS" ] || return 0
  # shellcheck disable=SC1090 # made above
  . "$SETTINGS"
}
