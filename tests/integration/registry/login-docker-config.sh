#!/bin/bash
# Docker's config.json is read, and written where that is asked for, with what else is in it kept.
. "$(dirname "$0")/../../lib-badregistry.sh"
bad_registry --user gordon:sesame
mkdir -p "$T/docker"
printf '{"HttpHeaders": {"A": "b"}, "detachKeys": "ctrl-x"}' >"$T/docker/config.json"
export DOCKER_CONFIG=$T/docker
[ -n "${XDG_RUNTIME_DIR:-}" ] || export XDG_RUNTIME_DIR=$T

ok minke login --tls-verify=false -u gordon -p sesame --compat-auth-file "$T/docker/config.json" "$REG"
assert_eq b "$(jq -r .HttpHeaders.A "$T/docker/config.json")"
assert_eq gordon:sesame "$(jq -r ".auths[\"$REG\"].auth" "$T/docker/config.json" | base64 -d)"
ok minke login --get-login "$REG"
assert_eq gordon "$out"
ok minke logout "$REG"
assert_match "Existing credentials were established via docker login.*$T/docker/config.json" "$out"
ok minke logout --compat-auth-file "$T/docker/config.json" "$REG"
expect_exit 125 minke login --get-login "$REG"
expect_exit 125 minke login --authfile "$T/a" --compat-auth-file "$T/b" -u a -p b "$REG"
assert_match 'simultaneously' "$err"
