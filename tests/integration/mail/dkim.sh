#!/bin/bash
# ENABLE_OPENDKIM: what is submitted is signed with the key whose zone file `setup config dkim` writes; what comes from outside is not.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-mail.sh"
in_mail_lab "$@"
need_program openssl
start_mail -v config:/tmp/docker-mailserver
ok m exec mail setup config dkim keysize 2048
start_mail -v config:/tmp/docker-mailserver
ok m exec mail cat /tmp/docker-mailserver/opendkim/keys/example.test/mail.txt
echo "$out" >zone
ok client submit "$LAB_SERVER4" 587 user=alice@example.test password=secret-a from=alice@example.test to=bob@example.test subject=signed \
  text=$'Two  lines,\r\nand a third. \r\n\r\n'
ok client deliver "$LAB_SERVER4" 25 from=alice@example.test to=bob@example.test subject=forged
for subject in signed forged; do
  within 60 has_mail bob@example.test secret-b $subject
  client fetch "$LAB_SERVER4" 993 tls=wrap user=bob@example.test password=secret-b subject=$subject >$subject.eml
done
verify() { "$mail_tests/mail/verify-dkim" zone <"$1"; }
ok verify signed.eml
assert_eq 'signed by example.test' "$out"
sed 's/third/fourth/' signed.eml >changed.eml
expect_exit 1 verify changed.eml
assert_match 'body is not what was signed' "$err"
sed 's/^From: alice/From: malice/' signed.eml >renamed.eml
expect_exit 1 verify renamed.eml
expect_exit 1 verify forged.eml
assert_match 'no DKIM-Signature' "$err"

# without it nothing is signed, and nobody listens for milters
start_mail -e ENABLE_OPENDKIM=0 -v config:/tmp/docker-mailserver
ok client submit "$LAB_SERVER4" 587 user=alice@example.test password=secret-a from=alice@example.test to=bob@example.test subject=plain
within 60 has_mail bob@example.test secret-b plain
client fetch "$LAB_SERVER4" 993 tls=wrap user=bob@example.test password=secret-b subject=plain >plain.eml
expect_exit 1 verify plain.eml
