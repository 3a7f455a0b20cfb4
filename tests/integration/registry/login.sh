#!/bin/bash
# login tries the credentials at the registry and keeps them in the authentication file; logout takes them away.
. "$(dirname "$0")/../../lib-badregistry.sh"
export REGISTRY_AUTH_FILE=$T/auth.json

for auth in basic bearer; do
  rm -f "$T/auth.json"
  bad_registry --user gordon:sesame --auth $auth
  expect_exit 125 minke login --tls-verify=false -u gordon -p wrong "$REG"
  assert_eq "Error: logging into \"$REG\": invalid username/password" "$err"
  [ ! -e "$T/auth.json" ]

  out=$(minke login --tls-verify=false -u gordon --password-stdin --verbose "$REG" <<<sesame)
  assert_eq "Used:  $T/auth.json
Login Succeeded!" "$out"
  assert_eq "$(printf gordon:sesame | base64)" "$(jq -r ".auths[\"$REG\"].auth" "$T/auth.json")"
  assert_eq 600 "$(stat -c %a "$T/auth.json")"

  ok minke --log-level debug login --tls-verify=false "$REG"
  assert_no_match "sesame|$(printf gordon:sesame | base64)|Bearer" "$out$err"
  ok minke login --get-login "$REG"
  assert_eq gordon "$out"
  ok minke login --tls-verify=false "$REG"
  assert_match 'Existing credentials are valid. Already logged in' "$out"
  # a scheme is no part of the name
  ok minke login --get-login "http://$REG/v2/"

  ok minke logout "$REG"
  assert_eq "Removed login credentials for $REG" "$out"
  expect_exit 125 minke logout "$REG"
  assert_eq "Error: not logged into $REG" "$err"
  expect_exit 125 minke login --get-login "$REG"
done

# For a namespace; --all forgets everything.
ok minke login --tls-verify=false -u gordon -p sesame "$REG/team/app"
ok minke login --get-login "$REG/team/app/below"
expect_exit 125 minke login --get-login "$REG/other"
ok minke logout --all
assert_eq 'Removed login credentials for all registries' "$out"
assert_eq '{}' "$(jq -c .auths "$T/auth.json")"

# What cannot be is told before anything is asked.
expect_exit 125 minke login -u a --password-stdin -p b "$REG"
assert_match "Can't specify both" "$err"
expect_exit 125 minke login --password-stdin "$REG"
assert_match 'Must provide --username' "$err"
expect_exit 125 minke login -u a "$REG"
assert_match 'password-stdin' "$err"
expect_exit 125 minke login "bad name/"
expect_exit 125 minke logout --all x
expect_exit 125 minke logout --authfile "$T/nosuch" "$REG"
assert_match 'checking authfile' "$err"
