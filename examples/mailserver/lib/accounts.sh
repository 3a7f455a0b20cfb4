# shellcheck shell=bash
# Accounts, aliases and quotas: from docker-mailserver's files in $CONFIG to the tables of Postfix and Dovecot. Postfix sees that a table
# has changed at the next connection, Dovecot at the next look-up: nothing is restarted.

ACCOUNTS=$CONFIG/postfix-accounts.cf ALIASES=$CONFIG/postfix-virtual.cf PATTERNS=$CONFIG/postfix-regexp.cf QUOTAS=$CONFIG/dovecot-quotas.cf
LOCAL_ALIASES=$CONFIG/postfix-aliases.cf SEND_ACCESS=$CONFIG/postfix-send-access.cf RECEIVE_ACCESS=$CONFIG/postfix-receive-access.cf

# postmap of what is on standard input; the table appears whole.
table() { # NAME
  replace_file "/etc/postfix/$1"
  postmap "hash:/etc/postfix/$1"
}

# user@domain|{SHA512-CRYPT}$6$...|further fields of Dovecot, one line each; user@domain:QUOTA in the quotas.
make_accounts() {
  local login hash more quota
  declare -A quota_of=()
  while IFS=: read -r login quota; do quota_of[${login,,}]=$quota; done < <(lines_of "$QUOTAS")
  : >"$RUN/users"
  : >"$RUN/boxes"
  : >"$RUN/domains"
  while IFS='|' read -r login hash more; do
    login=${login,,}
    if [[ ! $login =~ ^[^@/[:space:]]+@[^@/[:space:]]+$ || $login = *..* ]]; then
      log warn "$ACCOUNTS: '$login' is no address; the line is left out"
      continue
    fi
    if grep -qF "$login:" "$RUN/users"; then
      log warn "$ACCOUNTS: '$login' is there twice; the first line counts"
      continue
    fi
    [ -z "${quota_of[$login]:-}" ] || more+="${more:+ }userdb_quota_rule=*:bytes=${quota_of[$login]}"
    echo "$login:$hash:$DMS_VMAIL_UID:$DMS_VMAIL_GID::/var/mail/${login#*@}/${login%@*}/home::$more" >>"$RUN/users"
    echo "$login ${login#*@}/${login%@*}/" >>"$RUN/boxes"
    echo "${login#*@} account" >>"$RUN/domains"
  done < <(lines_of "$ACCOUNTS")
  # an alias makes its domain one of ours; a name without a domain is one of this host's
  lines_of "$ALIASES" | sed -n 's/^[^@[:space:]]*@\([^[:space:]]*\).*/\1 alias/p' >>"$RUN/domains"

  # SMTP_ONLY keeps no mail: only what an alias sends on is taken
  ! is_on SMTP_ONLY || { grep -v ' account$' "$RUN/domains" || true; } >"$RUN/domains.only"
  ! is_on SMTP_ONLY || { mv "$RUN/domains.only" "$RUN/domains"; : >"$RUN/boxes"; }
  table vmailbox <"$RUN/boxes"
  sort -u -k 1,1 "$RUN/domains" | table vhost
  lines_of "$ALIASES" | table virtual
  lines_of "$PATTERNS" | replace_file /etc/postfix/regexp
  lines_of "$SEND_ACCESS" | table send-access
  lines_of "$RECEIVE_ACCESS" | table receive-access
  {
    echo "root: $POSTMASTER_ADDRESS"
    echo 'mailer-daemon: postmaster'
    echo 'postmaster: root'
    lines_of "$LOCAL_ALIASES"
  } | replace_file /etc/aliases
  postalias hash:/etc/aliases
  if ! is_on SMTP_ONLY; then
    [ -e /etc/dovecot/userdb ] || install -m 640 -g dovecot /dev/null /etc/dovecot/userdb
    replace_file /etc/dovecot/userdb <"$RUN/users"
    chgrp dovecot /etc/dovecot/userdb
    chmod 640 /etc/dovecot/userdb
  fi
  rm -f "$RUN/users" "$RUN/boxes" "$RUN/domains"
}

# What the watcher compares.
accounts_state() {
  { cat "$ACCOUNTS" "$ALIASES" "$PATTERNS" "$QUOTAS" "$LOCAL_ALIASES" "$SEND_ACCESS" "$RECEIVE_ACCESS" 2>/dev/null || true; } | cksum
}
apply_accounts() {
  local seen patterns
  seen=$(accounts_state) patterns=$(cat /etc/postfix/regexp 2>/dev/null || true)
  make_accounts
  echo "$seen" >"$RUN/accounts.seen"
  # patterns are no table that says when it changes
  if [ -e "$RUN/up" ] && [ "$(cat /etc/postfix/regexp)" != "$patterns" ]; then postfix reload 2>/dev/null; fi
}
