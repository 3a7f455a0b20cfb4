#!/bin/bash
# Rootless, fail2ban bans who guesses passwords, and nobody else; unban lets him in again.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-mail.sh"
in_mail_lab "$@"
start_mail -e ENABLE_FAIL2BAN=1 --cap-add NET_ADMIN

greets() { client greet "$LAB_SERVER4" 25 source="$1" timeout=6 | grep -q '^220 mail.example.test'; }
banned() { [[ $(m exec mail setup fail2ban) == *203.0.113.7* ]]; }
within 60 greets 203.0.113.7
client guess "$LAB_SERVER4" 587 user=alice@example.test times=4 source=203.0.113.7 timeout=15 >guesses
within 60 banned
assert_match '^535' "$(cat guesses)"
ok m exec mail setup fail2ban
assert_match '203\.0\.113\.7' "$out"
assert_no_match '203\.0\.113\.8|10\.89|127\.0|, ' "$out" 'nobody else is banned'
! greets 203.0.113.7 || fail 'the guesser is still served'
within 60 greets 203.0.113.8 # another client of the same network
client greet "$LAB_SERVER6" 25 timeout=60 | grep -q '^220 ' || fail 'IPv6 is not served'
ok m exec mail setup fail2ban unban 203.0.113.7
within 60 greets 203.0.113.7
expect_exit 1 m exec mail setup fail2ban unban 203.0.113.7

# by hand, and remembered by the next container
m rm -f mail >/dev/null
start_mail -e ENABLE_FAIL2BAN=1 --cap-add NET_ADMIN -v state:/var/mail-state
ok m exec mail setup fail2ban ban 203.0.113.8
! greets 203.0.113.8 || fail 'banned by hand, and served'
start_mail -e ENABLE_FAIL2BAN=1 --cap-add NET_ADMIN -v state:/var/mail-state
remembered() { [[ $(m exec mail setup fail2ban) == *'custom: 203.0.113.8'* ]]; }
within 60 remembered
! greets 203.0.113.8 || fail 'forgotten by the next container'
within 60 greets 203.0.113.7
