#!/bin/bash
# Rootless on a network of the user's own: mail is submitted, received from outside and read, and the log has each client's own address.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-mail.sh"
in_mail_lab "$@"
start_mail

ok client submit "$LAB_SERVER4" 587 user=alice@example.test password=secret-a from=alice@example.test to=bob@example.test subject=submitted
ok client submit "$LAB_SERVER4" 465 tls=wrap user=alice@example.test password=secret-a from=alice@example.test to=bob@example.test subject=wrapped
ok client deliver "$LAB_SERVER4" 25 to=bob@example.test subject=delivered
ok client deliver "$LAB_SERVER6" 25 to=bob@example.test subject=delivered-v6
for subject in submitted wrapped delivered delivered-v6; do within 60 has_mail bob@example.test secret-b "$subject"; done
ok client list "$LAB_SERVER4" 143 user=bob@example.test password=secret-b
assert_match delivered "$out" 'STARTTLS on 143'
expect_exit 1 client submit "$LAB_SERVER4" 587 user=alice@example.test password=wrong to=bob@example.test
expect_exit 1 client submit "$LAB_SERVER4" 587 to=bob@example.test

log=$(mail_log)
assert_match 'submission/smtpd\[[0-9]*\]: [0-9A-F]*: client=[^ ]*\[203\.0\.113\.7\]' "$log"
assert_match 'postfix/smtpd\[[0-9]*\]: [0-9A-F]*: client=[^ ]*\[203\.0\.113\.7\]' "$log"
assert_match 'postfix/smtpd\[[0-9]*\]: [0-9A-F]*: client=[^ ]*\[2001:db8:113::7\]' "$log"
assert_match 'imap-login: Login: user=<bob@example.test>.*rip=203\.0\.113\.7' "$log"
