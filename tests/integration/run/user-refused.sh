#!/bin/bash
# A user that is not there, or is no 31-bit number, is refused; never is it root by accident.
. "$(dirname "$0")/../../lib.sh"
need_image

for user in nobody-here app:no-group 2147483648 4294967296 99999999999999 -1; do
  rc=0
  minke run --rm --network none --user="$user" "$IMG" id -u >o 2>e </dev/null || rc=$?
  [ $rc != 0 ] || fail "--user=$user was accepted: $(cat o)"
  assert_eq '' "$(cat o)"
done
