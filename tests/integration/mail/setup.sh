#!/bin/bash
# setup's commands write docker-mailserver's files; they work with and without a running server.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-mail.sh"
need_mail_image

mkdir c
setup() { run -i -v "$T/c:/tmp/docker-mailserver" "$MAIL_IMAGE" setup "$@"; }
setup email add Alice@example.test <<<secret
assert_match '^alice@example\.test\|\{SHA512-CRYPT\}\$6\$[^|]*$' "$(cat c/postfix-accounts.cf)"
hash=$(cut -d'}' -f2 c/postfix-accounts.cf)
assert_eq "$hash" "$(openssl passwd -6 -salt "$(cut -d'$' -f3 <<<"$hash")" secret)" 'the password in the file'

minke run -d --name mail --network none --hostname mail.example.test -v "$T/c:/tmp/docker-mailserver" "$MAIL_IMAGE" >/dev/null
s() { minke exec mail setup "$@"; }
within 120 minke exec mail healthcheck
assert_error 1 'already exists' s email add alice@example.test x
assert_error 1 'no address' s email add alice x
ok s email add bob@example.test other
ok s email update bob@example.test another
ok minke exec mail doveadm auth test bob@example.test another
expect_exit 77 minke exec mail doveadm auth test bob@example.test other
ok s alias add info@example.test alice@example.test
ok s alias add info@example.test bob@example.test
assert_eq 'info@example.test alice@example.test,bob@example.test' "$(cat c/postfix-virtual.cf)"
assert_error 1 'already an alias' s alias add info@example.test bob@example.test
ok s quota set bob@example.test 5M
ok s email list
assert_match '\* bob@example\.test \( 0 / 5\.0M \) \[0%\]' "$out"
assert_match 'aliases -> info@example\.test' "$out"
ok s alias del info@example.test alice@example.test
assert_eq 'info@example.test bob@example.test' "$(cat c/postfix-virtual.cf)"
ok s email restrict add send alice@example.test
assert_eq 'alice@example.test REJECT' "$(cat c/postfix-send-access.cf)"
ok s email del -y bob@example.test
assert_eq '' "$(cat c/postfix-virtual.cf c/dovecot-quotas.cf)" 'what belonged to bob'
expect_exit 77 minke exec mail doveadm auth test bob@example.test another
ok s config dkim keysize 1024 domain example.test
assert_match 'v=DKIM1' "$out"
assert_eq '*@example.test mail._domainkey.example.test' "$(cat c/opendkim/SigningTable)"
expect_exit 2 s no such
assert_match 'setup help' "$err"
assert_error 1 'not in this image' s relay add-domain x y

# an edit by hand is seen; another program's accounts too
printf '# mine\ncarol@other.test|{SHA512-CRYPT}%s\r\n' "$hash" >>c/postfix-accounts.cf
within 30 minke exec mail doveadm auth test carol@other.test secret
ok minke exec mail postmap -q other.test hash:/etc/postfix/vhost
