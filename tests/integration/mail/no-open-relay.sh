#!/bin/bash
# Whatever PERMIT_DOCKER trusts, a stranger is not among it; a container of the same network is, when connected-networks says so.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-mail.sh"
in_mail_lab "$@"

# What the server says to a recipient elsewhere, asked by another container on its network.
from_neighbour() {
  m run --rm --network mailnet "$MAIL_IMAGE" bash -c 'exec 3<>/dev/tcp/172.30.0.25/25; IFS= read -r -t 60 _ <&3
    for line in "EHLO n.example.test" "MAIL FROM:<n@example.test>" "RCPT TO:<victim@elsewhere.test>"; do
      printf "%s\r\n" "$line" >&3
      while IFS= read -r -t 60 answer <&3 && [ "${answer:3:1}" = - ]; do :; done
    done; echo "$answer"'
}

for value in none container host network connected-networks ''; do
  start_mail -e PERMIT_DOCKER="$value" --ip 172.30.0.25
  for address in "$LAB_SERVER4" "$LAB_SERVER6"; do
    expect_exit 1 client deliver "$address" 25 to=victim@elsewhere.test
    assert_match 'Relay access denied' "$out" "PERMIT_DOCKER=$value"
  done
  networks=$(m exec mail postconf -h mynetworks)
  answer=$(from_neighbour)
  case $value in
    none | '') assert_eq '' "$networks"; assert_match '^554 .*Relay access denied' "$answer" ;;
    container) assert_match ' 172\.30\.0\.25/32$' "$networks"; assert_match '^554 ' "$answer" ;;
    host) assert_match ' 172\.30\.0\.0/16$' "$networks"; assert_match '^250 ' "$answer" ;;
    network) assert_match ' 172\.16\.0\.0/12$' "$networks"; assert_match '^250 ' "$answer" ;;
    connected-networks) assert_match ' 172\.30\.0\.0/24$' "$networks"; assert_match '^250 ' "$answer" ;;
  esac
done
