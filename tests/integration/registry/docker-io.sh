#!/bin/bash
# docker.io as the world has it: registry-1, tokens of auth, layers of a CDN, the search of index; nothing is to be set.
# needs: root
[ -n "${DOCKER_IO_LAB:-}" ] || DOCKER_IO_LAB=1 exec unshare --net --mount "$0" "$@"
. "$(dirname "$0")/../../lib-badregistry.sh"
ip link set lo up
printf '127.0.0.1 localhost registry-1.docker.io index.docker.io\n127.0.0.2 auth.docker.io production.cloudflare.docker.com\n' >hosts
mount --bind hosts /etc/hosts
registry_certs
export SSL_CERT_FILE=$CERTS/ca.crt REGISTRY_AUTH_FILE=$T/auth.json HOME=$T XDG_CONFIG_HOME=$T/config
export CONTAINERS_REGISTRIES_CONF=$T/registries.conf CONTAINERS_REGISTRIES_CONF_DIR=$T/none
echo 'unqualified-search-registries = ["docker.io"]' >registries.conf
echo '{}' >auth.json
hub() {
  bad_registry "${TLS[@]}" --port 443 --other 127.0.0.2:443 --other-name production.cloudflare.docker.com \
    --auth bearer --realm https://auth.docker.io/token --index --fault 'layer:redirect={other}' "$@"
}
asked() { requests | awk -v h="$1" '$7 == h' | cut -d' ' -f2-5; }
was_asked() { asked "$1" | grep -qE "$2" || fail "$1 was not asked: $2"$'\n'"$(asked "$1")"; }

hub
ok minke pull official
assert_match 'Trying to pull docker.io/library/official:latest\.\.\.' "$err"
assert_eq docker.io/library/official "$(minke images --format '{{.Repository}}')"
was_asked auth.docker.io '^GET /token\?scope=repository%3Alibrary%2Fofficial%3Apull&service=bad 200 -$'
assert_eq 3 "$(asked production.cloudflare.docker.com | grep -c ' 200 -$')" 'layers of the CDN, without a token'
was_asked registry-1.docker.io '^GET /v2/library/official/manifests/latest 200 Bearer$'
ok minke rmi -a

hub --user gordon:sesame
expect_exit 125 minke login -u gordon -p wrong docker.io
ok minke login -u gordon -p sesame docker.io
ok minke pull -q docker.io/good/image
was_asked auth.docker.io '^GET /token\?.*account=gordon.* 200 Basic$'
assert_no_match 'Basic|Bearer' "$(asked production.cloudflare.docker.com)" 'what the CDN was told'

ok minke search --format '{{.Index}} {{.Name}} {{.Stars}} {{.Official}}' docker.io/good
assert_eq 'docker.io docker.io/good/image 7 [OK]' "$out"
was_asked index.docker.io '^GET /v1/search\?q=good&n=25 200 -$'
umount /etc/hosts
