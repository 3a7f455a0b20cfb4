#!/bin/bash
# registries.conf: mirrors by tag and by digest, other places, blocked registries, short names and aliases.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-registry.sh"
export CONTAINERS_REGISTRIES_CONF=$T/registries.conf CONTAINERS_REGISTRIES_CONF_DIR=$T/none
start_registry main
main=$R
start_registry mirror
mirror=$R
layered_image app 1
digest=$(jq -r '.manifests[0].digest' app/index.json)
ok skopeo copy -q --dest-tls-verify=false "oci:$T/app" "docker://$mirror/kept/team/app:1"
conf() { printf '%s\n' "$@" >"$T/registries.conf"; }
place() { conf '[[registry]]' "location = \"$main\"" 'insecure = true' "$@" '[[registry.mirror]]' "location = \"$mirror/kept\"" 'insecure = true'; }

# The mirror is asked first, and the image has the name that was asked for.
place
ok minke pull -q "$main/team/app:1"
assert_eq "$main/team/app:1" "$(minke images --format '{{.Repository}}:{{.Tag}}')"
ok minke rmi -a
expect_exit 125 minke pull -q "$main/team/nosuch:1"
assert_match "initializing source docker://$main/team/nosuch:1: .*unknown" "$err"

place
echo 'pull-from-mirror = "digest-only"' >>"$T/registries.conf"
expect_exit 125 minke pull -q "$main/team/app:1"
ok minke pull -q "$main/team/app@$digest"
ok minke rmi -a

# Another place for a prefix, and one that is blocked.
conf '[[registry]]' 'prefix = "*.example.com/team"' "location = \"$mirror/kept/team\"" 'insecure = true' \
  '[[registry]]' 'location = "bad.example.org"' 'blocked = true'
ok minke pull -q registry.example.com/team/app:1
assert_eq registry.example.com/team/app:1 "$(minke images --format '{{.Repository}}:{{.Tag}}')"
ok minke rmi -a
expect_exit 125 minke pull -q bad.example.org/x
assert_match "registry bad.example.org is blocked in $T/registries.conf" "$err"
expect_exit 125 minke login -u a -p b bad.example.org
assert_match 'is blocked in' "$err"

# Short names: an alias alone, else every registry in order.
places=('[[registry]]' "location = \"$main\"" 'insecure = true' '[[registry]]' "location = \"$mirror\"" 'insecure = true')
conf "unqualified-search-registries = [\"$main\", \"$mirror\"]" "${places[@]}"
ok minke pull -q kept/team/app:1
assert_eq "$mirror/kept/team/app:1" "$(minke images --format '{{.Repository}}:{{.Tag}}')"
ok minke rmi -a
conf "unqualified-search-registries = [\"$main\", \"$mirror\"]" 'short-name-mode = "enforcing"' "${places[@]}"
expect_exit 125 minke pull -q kept/team/app:1
assert_match 'short-name resolution enforced but cannot prompt without a TTY' "$err"
conf 'short-name-mode = "enforcing"' "${places[@]}" '[aliases]' "app = \"$mirror/kept/team/app\""
ok minke pull -q app:1
expect_exit 125 minke pull -q other
assert_match 'did not resolve to an alias and no unqualified-search registries are defined' "$err"
expect_exit 125 env CONTAINERS_REGISTRIES_CONF="$T/nosuch" "$MINKE" --root "$T/r" --runroot "$T/u" pull -q app
assert_match 'loading registries configuration: .*nosuch' "$err"
