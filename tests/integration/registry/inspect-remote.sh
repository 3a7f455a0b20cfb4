#!/bin/bash
# image inspect docker://NAME says what an image of a registry is, alone or in a list, and leaves it there.
. "$(dirname "$0")/../../lib-badregistry.sh"
bad_registry
export CONTAINERS_REGISTRIES_CONF=$T/registries.conf CONTAINERS_REGISTRIES_CONF_DIR=$T/none
printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$REG" >registries.conf
for name in good/image:v1 good/list:latest; do
  ok minke image inspect "docker://$REG/$name"
  assert_eq '' "$(minke images -aq)" 'what is here'
  remote=$(jq -c '.[0] | {Id, Digest, Config, Architecture, RootFS, RepoTags}' <<<"$out")
  ok minke pull -q "$REG/$name"
  assert_eq "$(minke image inspect "$REG/$name" | jq -c '.[0] | {Id, Digest, Config, Architecture, RootFS, RepoTags}')" "$remote" "$name"
  ok minke rmi -a
done
assert_not_asked '^main GET /v2/good/image/blobs/.* 206 '
assert_error 125 'reading manifest latest in .*/nosuch: manifest unknown' minke image inspect "docker://$REG/nosuch"
