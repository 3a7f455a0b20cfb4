#!/bin/bash
# A redirect leads to http and https only, ends somewhere, and takes no credentials to another host.
. "$(dirname "$0")/../../lib-badregistry.sh"
pull() { minke pull --quiet --tls-verify=false --retry 1 --retry-delay 10ms --creds gordon:sesame "$@"; }

for auth in basic bearer; do
  bad_registry --user gordon:sesame --auth $auth --fault 'layer:redirect={other}'
  ok pull "$REG/good/image"
  ok minke rmi "$out"
  assert_eq 3 "$(requests | awk '$1 == "other" && $5 == "-"' | wc -l)"
  assert_eq 0 "$(requests | awk '$1 == "other" && $5 != "-"' | wc -l)"
done
# The page of a redirect, or of a refusal, may be larger than the blob that was asked for.
bad_registry --user gordon:sesame --fault 'config:redirect={other}'
ok pull "$REG/good/image"
ok minke rmi "$out"
for fault in ping:redirect=file:///etc/passwd manifest:redirect=ftp://localhost/x layer:redirect=file:///etc/passwd \
  layer:redirect=http://user:pw@localhost/ layer:redirect=gopher://localhost/x; do
  bad_registry --user gordon:sesame --fault "$fault"
  expect_exit 125 pull "$REG/good/image"
  one_fault
done
bad_registry --user gordon:sesame --fault layer:loop
expect_exit 125 pull "$REG/good/image"
one_fault
[ "$(requests | wc -l)" -lt 200 ]
