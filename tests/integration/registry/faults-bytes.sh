#!/bin/bash
# Other bytes than the digest says, too few, too many and without end: told, kept by nobody, and the next pull works.
. "$(dirname "$0")/../../lib-badregistry.sh"
pull() { minke pull --quiet --tls-verify=false --retry 1 --retry-delay 10ms "$@"; }

for fault in config:{wrong,long,endless} layer:{wrong,short,long,endless,html} manifest:{short,endless,html,headers}; do
  bad_registry --fault "$fault"
  expect_exit 125 pull "$REG/good/image"
  one_fault
done
# By digest, another manifest than the one asked for.
bad_registry
digest=$(python3 -c "import urllib.request as u; print(u.urlopen('http://$REG/v2/good/image/manifests/latest').headers['Docker-Content-Digest'])")
ok pull "$REG/good/image@$digest"
ok minke rmi "$out"
bad_registry --fault 'manifest:wrong'
expect_exit 125 pull "$REG/good/image@$digest"
one_fault
bad_registry
ok pull "$REG/good/image"
assert_eq '' "$(ls "$T/r/staging")"
