#!/bin/bash
# Credentials for a registry reach no other host: not by a token server that it names, nor by a redirect.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-badregistry.sh"
bad_registry --user gordon:sesame --auth bearer
port=$(cat bad/other-port)
bad_registry --user gordon:sesame --auth bearer --realm "http://127.0.0.1:$port/token"
assert_error 125 'token server .* is on another host than localhost' \
  minke pull -q --retry 0 --tls-verify=false --creds gordon:sesame "$REG/good/image"
assert_no_match "127.0.0.1" "$(requests)" 'requests'
bad_registry --user gordon:sesame --auth basic --fault 'layer:redirect={other}/v2/good/image/blobs/x'
expect_exit 125 minke pull -q --retry 0 --tls-verify=false --creds gordon:sesame "$REG/good/image"
assert_match 'Basic' "$(requests)" 'requests to the registry'
assert_no_match "127.0.0.1:[0-9]* [A-Z]+ [^ ]+ [0-9]+ (Basic|Bearer)" "$(requests)" 'requests to the stranger'
