#!/bin/bash
# Credentials reach no stranger: not one that a redirect leads to and that asks for them, not by plain http, and no token of a
# login leaves the token server that the registry names.
. "$(dirname "$0")/../../lib-badregistry.sh"
pull() { minke pull -q --retry 0 --cert-dir "$CERTS" "$@" "$REG/good/image"; }
told() { requests | awk '$1 == "other" && ($5 != "-" || $3 ~ "^/token")'; }

bad_registry "${TLS[@]}" --user gordon:sesame --auth bearer --fault 'layer:redirect={other}' --fault other:challenge
expect_exit 125 pull --creds gordon:sesame
one_fault
assert_asked '^other GET /v2/'
assert_eq '' "$(told)" 'what the stranger was told'
# ... at the first word already: the registry itself says later where its tokens are
bad_registry "${TLS[@]}" --user gordon:sesame --auth bearer --fault 'ping:redirect={other}' --fault other:challenge
ok pull --creds gordon:sesame
ok minke rmi "$out"
assert_eq '' "$(told)" 'what the stranger was told after the ping'

bad_registry "${TLS[@]}" --user gordon:sesame --auth bearer --realm "http://$OTHER/token"
assert_error 125 'credentials are not sent by plain http; --tls-verify=false allows it' pull --creds gordon:sesame
assert_not_asked /token

# An identity token travels in the body of a POST.
bad_registry "${TLS[@]}" --user gordon:sesame --auth bearer --refresh-token r3fresh --fault 'token:redirect={other}'
printf '{"auths":{"%s":{"auth":"%s","identitytoken":"r3fresh"}}}' "$REG" "$(printf '<token>:' | base64)" >auth.json
assert_error 125 'credentials are not taken there' pull --authfile auth.json
assert_eq '' "$(told)" 'what the stranger was told of the login'
bad_registry "${TLS[@]}" --user gordon:sesame --auth bearer --refresh-token r3fresh
printf '{"auths":{"%s":{"identitytoken":"r3fresh"}}}' "$REG" >auth.json
ok pull --authfile auth.json
assert_asked '^main POST /token 200'
