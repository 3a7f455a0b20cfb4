#!/bin/bash
# The image's health check follows the services; one that dies is started again; a stop within the grace is orderly.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-mail.sh"
need_mail_image

minke run -d --name mail --network none --hostname mail.example.test --stop-timeout 60 "$MAIL_IMAGE" >/dev/null
health() { minke inspect --format '{{.State.Health.Status}}' mail; }
within 120 minke exec mail healthcheck
ok minke healthcheck run mail
assert_eq healthy "$(health)"
ok minke exec mail sh -c 'kill -9 $(cat /run/mailserver/dovecot.pid)'
within 120 eval 'minke logs mail 2>&1 | grep -q "dovecot has ended with exit code 137"'
within 120 minke exec mail healthcheck
ok minke exec mail sh -c 'kill -STOP $(cat /run/mailserver/changes.pid); kill -9 $(cat /run/mailserver/rsyslog.pid)'
within 120 minke exec mail healthcheck

# the log is written by a child that has opened /dev/stdout anew
ok minke logs mail
assert_match 'postfix/master.*daemon started' "$out"
ok minke stop mail
assert_eq 0 "$(minke inspect --format '{{.State.ExitCode}}' mail)"
assert_match 'stopped' "$(minke logs mail 2>&1)"
ok minke start mail
within 120 minke exec mail healthcheck

minke run -d --name relay --network none --hostname mail.example.test -e SMTP_ONLY=1 "$MAIL_IMAGE" >/dev/null
within 120 minke exec relay healthcheck
ok minke exec relay ps -A -o comm=
assert_no_match dovecot "$out"
