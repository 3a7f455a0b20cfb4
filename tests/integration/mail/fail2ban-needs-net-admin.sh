#!/bin/bash
# Without NET_ADMIN a server that shall ban does not start unprotected: it says what is missing.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-mail.sh"
need_mail_image

assert_error 1 'NET_ADMIN' run --hostname mail.example.test -e ENABLE_FAIL2BAN=1 "$MAIL_IMAGE"
assert_error 1 'no domain' run --hostname mail "$MAIL_IMAGE"
assert_error 1 'PERMIT_DOCKER=all' run --hostname mail.example.test -e PERMIT_DOCKER=all "$MAIL_IMAGE"
assert_error 1 'no certificate' run --hostname mail.example.test -e SSL_TYPE=manual -e SSL_CERT_PATH=/none "$MAIL_IMAGE"
