#!/bin/bash
# Until minke-netd serves users, their bridges and published ports are refused by name; without a word they have none.
# needs: user
. "$(dirname "$0")/../../lib-network.sh"
need_image
minke network create n1 >/dev/null
for words in '--network bridge' '--network n1' '-p 8080:80' '-P --expose 80'; do
  # shellcheck disable=SC2086 # words
  assert_error 125 'not supported yet for users' minke run --rm $words "$IMG" true
done
ok minke run --rm "$IMG" ip -o link
assert_no_match eth0 "$out"
ok minke network rm n1
