#!/bin/bash
# A token server on a host of its own is asked as the registry says it, without credentials unless it is of the registry's own domain
# (registry/docker-io); layers of a third host come without either.
. "$(dirname "$0")/../../lib-badregistry.sh"
pull() { minke pull -q --retry 0 --cert-dir "$CERTS" "$@" "$REG/good/image"; }

bad_registry "${TLS[@]}" --auth bearer --realm '{other}/token' --fault 'layer:redirect={other}'
ok pull
ok minke rmi "$out"
assert_asked "^other GET /token\\?.*scope=repository%3Agood%2Fimage%3Apull[^ ]* 200 - "
assert_eq 3 "$(requests | grep -c '^other GET /v2/.* 200 - ')" 'layers from elsewhere'
assert_asked '^main GET /v2/good/image/manifests/latest 200 Bearer '

bad_registry "${TLS[@]}" --auth bearer --realm '{other}/token' --user gordon:sesame
assert_error 125 "token server \"https://$OTHER/token\": it is in another domain than $REG, and credentials are not sent there" \
  pull --creds gordon:sesame
assert_error 125 'in another domain' minke login -u gordon -p sesame --cert-dir "$CERTS" "$REG"
assert_no_match '^other ' "$(requests)" 'what the token server was asked'
# nor where plain http is allowed
bad_registry --auth bearer --realm '{other}/token' --user gordon:sesame
assert_error 125 'in another domain' minke pull -q --tls-verify=false --creds gordon:sesame "$REG/good/image"
