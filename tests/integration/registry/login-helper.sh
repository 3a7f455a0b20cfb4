#!/bin/bash
# A credential helper keeps what login is told, and its faults are told in one line.
. "$(dirname "$0")/../../lib-badregistry.sh"
bad_registry --user gordon:sesame
export REGISTRY_AUTH_FILE=$T/auth.json KEPT=$T/kept PATH=$T/bin:$PATH
mkdir -p "$T/bin" "$KEPT"
cat >"$T/bin/docker-credential-test" <<'HELPER'
#!/bin/bash
case $1 in
  store) cat >"$KEPT/it" ;;
  get) [ -e "$KEPT/broken" ] && { echo 'the keyring is locked'; exit 1; }
       [ -e "$KEPT/it" ] && exec cat "$KEPT/it"
       echo 'credentials not found in native keychain'; exit 1 ;;
  erase) rm -f "$KEPT/it" ;;
  list) echo '{}' ;;
esac
HELPER
chmod +x "$T/bin/docker-credential-test"
printf '{"credHelpers": {"%s": "test"}}' "$REG" >"$T/auth.json"

ok minke login --tls-verify=false --verbose -u gordon -p sesame "$REG"
assert_match 'Used:  docker-credential-test' "$out"
assert_eq "$REG gordon sesame" "$(jq -r '"\(.ServerURL) \(.Username) \(.Secret)"' "$KEPT/it")"
[ "$(jq .auths "$T/auth.json")" = null ]
ok minke login --get-login "$REG"
assert_eq gordon "$out"
ok minke logout "$REG"
[ ! -e "$KEPT/it" ]
touch "$KEPT/broken"
expect_exit 125 minke login --get-login "$REG"
assert_eq 'Error: get credentials: credential helper docker-credential-test get: exit status 1: the keyring is locked' "$err"
