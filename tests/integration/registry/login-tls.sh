#!/bin/bash
# Certificates: an authority that is not known is told, --cert-dir and certs.d make it known, --tls-verify=false does without.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-registry.sh"
start_registry r1 tls auth
export HOME=$T/home XDG_CONFIG_HOME=$T/home/.config REGISTRY_AUTH_FILE=$T/auth.json
login() { minke login -u "$REG_USER" -p "$REG_PASS" "$@" "$R"; }

expect_exit 125 login
assert_match "authenticating creds for \"$R\": pinging container registry $R: .*(certificate|x509)" "$err"
[ ! -e "$T/auth.json" ]
ok login --cert-dir "$CERTS"
assert_eq 'Login Succeeded!' "$out"
ok login --tls-verify=false
expect_exit 125 login --cert-dir "$T/nosuch"
assert_match 'nosuch' "$err"

mkdir -p "$XDG_CONFIG_HOME/containers/certs.d/$R"
cp "$CERTS/ca.crt" "$XDG_CONFIG_HOME/containers/certs.d/$R/ours.crt"
ok login
ok minke search "$R/"
touch "$XDG_CONFIG_HOME/containers/certs.d/$R/client.cert"
expect_exit 125 login
assert_match 'missing key client.key for client certificate client.cert' "$err"
