#!/bin/bash
# As root the same: mail from outside, the client's own address.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-mail.sh"
MAIL_OWNER=root
in_mail_lab "$@"
start_mail

ok client submit "$LAB_SERVER4" 587 user=alice@example.test password=secret-a from=alice@example.test to=bob@example.test subject=submitted
ok client deliver "$LAB_SERVER6" 25 to=bob@example.test subject=delivered
within 60 has_mail bob@example.test secret-b submitted
within 60 has_mail bob@example.test secret-b delivered
expect_exit 1 client deliver "$LAB_SERVER4" 25 to=victim@elsewhere.test
assert_match 'Relay access denied' "$out"
log=$(mail_log)
assert_match 'client=[^ ]*\[203\.0\.113\.7\]' "$log"
assert_match 'client=[^ ]*\[2001:db8:113::7\]' "$log"
