#!/bin/bash
# Registries that ask for credentials without end, and token servers that err, are told and not asked for ever.
. "$(dirname "$0")/../../lib-badregistry.sh"
pull() { minke pull --quiet --tls-verify=false --retry 1 --retry-delay 10ms "$@"; }

for auth in basic bearer; do
  bad_registry --user gordon:sesame --auth $auth
  expect_exit 125 pull "$REG/good/image"
  one_fault
  assert_match 'unauthorized|invalid username/password' "$err"
  expect_exit 125 pull --creds gordon:wrong "$REG/good/image"
  one_fault
  ok pull --creds gordon:sesame "$REG/good/image"
  ok minke rmi "$out"

  bad_registry --user gordon:sesame --auth $auth --fault layer:challenge
  expect_exit 125 pull --creds gordon:sesame "$REG/good/image"
  one_fault
  [ "$(requests | wc -l)" -lt 40 ]
done

for fault in status=500 status=401 html endless 'redirect=file:///etc/passwd' loop; do
  bad_registry --user gordon:sesame --auth bearer --fault "token:$fault"
  expect_exit 125 pull --creds gordon:sesame "$REG/good/image"
  one_fault
done
# a token server of another kind than http
bad_registry --user gordon:sesame --auth bearer --realm file:///etc/passwd
expect_exit 125 pull --creds gordon:sesame "$REG/good/image"
one_fault
