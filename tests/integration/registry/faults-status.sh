#!/bin/bash
# 429 and 5xx are tried again as often as asked, then told; other statuses are told at once.
. "$(dirname "$0")/../../lib-badregistry.sh"
pull() { minke pull --quiet --tls-verify=false --retry-delay 10ms "$@"; }

bad_registry --fault 'ping:status=503*2' --fault 'manifest:status=429,0*2' --fault 'config:status=500*2' --fault 'layer:status=502*2'
ok pull --retry 3 "$REG/good/image"
ok minke rmi "$out"
for where in ping manifest config layer; do
  bad_registry --fault "$where:status=503"
  expect_exit 125 pull --retry 1 "$REG/good/image"
  one_fault
  assert_match '503' "$err"
done

for status in 400 403; do
  bad_registry --fault "manifest:status=$status"
  expect_exit 125 pull --retry 5 "$REG/good/image"
  one_fault
  assert_eq 1 "$(requests | grep -c /manifests/)"
done

# Retry-After is kept to, and can be ended.
bad_registry --fault 'manifest:status=429,3600'
expect_exit 124 timeout 5 "$MINKE" --root "$T/r" --runroot "$T/u" pull -q --tls-verify=false "$REG/good/image"
assert_eq 1 "$(requests | grep -c /manifests/)"
bad_registry
ok pull "$REG/good/image"
