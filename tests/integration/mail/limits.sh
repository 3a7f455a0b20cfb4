#!/bin/bash
# Who may send as whom, how much, and where to: SPOOF_PROTECTION, restrictions, quotas, the size limit, DEFAULT_RELAY_HOST, POSTMASTER_ADDRESS, TZ.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-mail.sh"
in_mail_lab "$@"
submit() { client submit "$LAB_SERVER4" 587 user=alice@example.test password=secret-a to=bob@example.test "$@"; }

start_mail -v config:/tmp/docker-mailserver
ok submit from=bob@example.test subject=as-bob
start_mail -e SPOOF_PROTECTION=1 -e POSTFIX_MESSAGE_SIZE_LIMIT=20000 -e DEFAULT_RELAY_HOST='[203.0.113.8]:2525' -e POSTMASTER_ADDRESS=chief@example.test \
  -e TZ=Asia/Tokyo -v config:/tmp/docker-mailserver
ok m exec mail setup alias add info@example.test alice@example.test
expect_exit 1 submit from=bob@example.test
assert_match '553 .*not owned by user alice@example.test' "$out"
ok submit from=alice@example.test subject=as-alice
within 60 submit from=info@example.test subject=as-info
# a restriction holds beside it
ok m exec mail setup email restrict add send alice@example.test
denied() { submit from=alice@example.test >denied && return 1; grep -q 'Access denied' denied; }
within 60 denied
ok m exec mail setup email restrict del send alice@example.test
within 60 submit from=alice@example.test subject=again

# sizes: of a message, and of a mailbox
big=$(head -c 30000 /dev/zero | tr '\0' 'x' | fold -w 70)
expect_exit 1 submit from=alice@example.test subject=big text="$big"
assert_match '552 ' "$out"
ok m exec mail setup quota set bob@example.test 20k
half=${big:0:12000}
# Dovecot looks at most once in a second whether its users have changed.
sent=0
too_much() {
  submit from=alice@example.test subject=half-$((++sent)) text="$half" >/dev/null
  mail_log | grep -qE "Quota exceeded|mailbox is full|552 5.2.2"
}
within 60 too_much
[ "$(client list "$LAB_SERVER4" 993 tls=wrap user=bob@example.test password=secret-b | grep -c ^half)" -lt $sent ] || fail 'the quota does not hold'

# mail to others goes to the relay, which here nobody is
ok submit from=alice@example.test to=friend@elsewhere.test
within 60 eval 'mail_log | grep -q "relay=.*203.0.113.8.*2525\|connect to 203.0.113.8.*:2525"'
assert_eq 'chief@example.test' "$(m exec mail doveconf -h postmaster_address)"
assert_match '\+0900' "$(m exec mail date +%z)"
