#!/bin/bash
# A token server on a host of its own is asked as the registry says it, with credentials and without; layers of a third host come
# without either.
. "$(dirname "$0")/../../lib-badregistry.sh"
pull() { minke pull -q --retry 0 --cert-dir "$CERTS" "$@" "$REG/good/image"; }

for who in '' gordon:sesame; do
  bad_registry "${TLS[@]}" --auth bearer --realm '{other}/token' ${who:+--user "$who"} --fault 'layer:redirect={other}'
  ok pull ${who:+--creds "$who"}
  ok minke rmi "$out"
  assert_asked "^other GET /token\\?.*scope=repository%3Agood%2Fimage%3Apull[^ ]* 200 $([ "$who" ] && echo Basic || echo -) "
  assert_eq 3 "$(requests | grep -c '^other GET /v2/.* 200 - ')" 'layers from elsewhere'
  assert_asked '^main GET /v2/good/image/manifests/latest 200 Bearer '
done
expect_exit 125 pull --creds gordon:wrong
one_fault
# plain http, where that is allowed
bad_registry --auth bearer --realm '{other}/token' --user gordon:sesame
ok minke pull -q --tls-verify=false --creds gordon:sesame "$REG/good/image"
