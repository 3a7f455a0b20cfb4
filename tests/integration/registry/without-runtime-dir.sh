#!/bin/bash
# Without XDG_RUNTIME_DIR, as under su or cron, credentials are the user's: what is root's or missing stops neither pull nor login.
# needs: user
. "$(dirname "$0")/../../lib-badregistry.sh"
unset XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS REGISTRY_AUTH_FILE
export XDG_CONFIG_HOME=$T/config HOME=$T
bad_registry --user gordon:sesame --auth basic
assert_error 125 'unauthorized|authentication' minke pull --tls-verify=false "$REG/none"
out=$(minke login --tls-verify=false -u gordon --password-stdin "$REG" <<<sesame)
assert_eq 'Login Succeeded!' "$out"
assert_eq 600 "$(stat -c %a "$T/config/containers/auth.json")"
ok minke login --get-login "$REG"
assert_eq gordon "$out"
ok minke logout "$REG"
