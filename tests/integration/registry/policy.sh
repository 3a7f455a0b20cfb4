#!/bin/bash
# policy.json says what may be pulled: nothing, all, or what a key has signed.
. "$(dirname "$0")/../../lib-badregistry.sh"
need_program gpg
need_program gpgv
bad_registry
export HOME=$T/home XDG_CONFIG_HOME=$T/home/.config
config=$XDG_CONFIG_HOME/containers
mkdir -p "$config/registries.d" "$T/keys" "$T/sigs"
policy() { printf '{"default": [%s]}' "$1" >"$config/policy.json"; }
pull() { minke pull --quiet --tls-verify=false "$@"; }

policy '{"type": "reject"}'
expect_exit 125 pull "$REG/good/image"
one_fault
assert_match 'Source image rejected: Running image docker://.* is rejected by policy' "$err"
assert_eq '' "$(requests)"
printf '{"default": [{"type": "reject"}], "transports": {"docker": {"%s/good": [{"type": "insecureAcceptAnything"}]}}}' \
  "$REG" >"$config/policy.json"
ok pull "$REG/good/image"
ok minke rmi "$out"
printf '{"default": [{"type": "rejekt"}]}' >"$config/policy.json"
expect_exit 125 pull "$REG/good/image"
assert_eq "Error: $config/policy.json: default[0].type: no such requirement: \"rejekt\"" "$err"

# Simple signing: the signature lies in a folder, and is about the name and the digest.
gpg() { command gpg --homedir "$T/keys" --batch --quiet --passphrase '' "$@" 2>/dev/null; }
chmod 700 "$T/keys"
gpg --quick-gen-key signer@example.com ed25519 sign never
gpg --export signer@example.com >"$T/key.gpg"
policy "{\"type\": \"signedBy\", \"keyType\": \"GPGKeys\", \"keyPath\": \"$T/key.gpg\"}"
printf 'default-docker:\n  lookaside: file://%s\n' "$T/sigs" >"$config/registries.d/default.yaml"
expect_exit 125 pull "$REG/good/image"
one_fault
assert_match 'A signature was required, but no signature exists' "$err"
digest=$(python3 -c "import urllib.request as u; print(u.urlopen('http://$REG/v2/good/image/manifests/latest').headers['Docker-Content-Digest'])")
sign() { # NAME DIGEST
  mkdir -p "$T/sigs/good/image@${digest/:/=}"
  printf '{"critical":{"type":"atomic container signature","image":{"docker-manifest-digest":"%s"},"identity":{"docker-reference":"%s"}},"optional":{}}' \
    "$2" "$1" | gpg --sign --output - >"$T/sigs/good/image@${digest/:/=}/signature-1"
}
sign "$REG/good/image:latest" "sha256:$(printf x | sha256sum | cut -c1-64)"
expect_exit 125 pull "$REG/good/image"
assert_match 'does not match' "$err"
sign "$REG/good/other:latest" "$digest"
expect_exit 125 pull "$REG/good/image"
assert_match 'is not accepted' "$err"
[ -z "$(minke images -q)" ]
sign "$REG/good/image:latest" "$digest"
ok pull "$REG/good/image"

# Of a list, as with Podman and skopeo, it is the image that is chosen which must be signed, not the list.
image=$digest
list=$(python3 -c "import urllib.request as u; print(u.urlopen('http://$REG/v2/good/list/manifests/latest').headers['Docker-Content-Digest'])")
skopeo_pull() { # the same by skopeo: its policy and store of signatures are ours
  rm -rf "$T/copied"
  env -u XDG_CONFIG_HOME skopeo --tmpdir "$T" --policy "$config/policy.json" --registries.d "$config/registries.d" copy -q \
    --src-tls-verify=false "docker://$REG/good/list" "dir:$T/copied"
}
sign_in() { # DIGEST
  rm -rf "$T/sigs/good/list@"*
  mkdir -p "$T/sigs/good/list@${1/:/=}"
  printf '{"critical":{"type":"atomic container signature","image":{"docker-manifest-digest":"%s"},"identity":{"docker-reference":"%s"}},"optional":{}}' \
    "$1" "$REG/good/list:latest" | gpg --sign --output - >"$T/sigs/good/list@${1/:/=}/signature-1"
}
ok minke rmi -af
sign_in "$list"
expect_exit 125 pull "$REG/good/list"
one_fault
assert_match 'A signature was required, but no signature exists' "$err"
if command -v skopeo >/dev/null; then
  expect_exit 1 skopeo_pull
  assert_match 'A signature was required, but no signature exists' "$err"
fi
sign_in "$image"
ok pull "$REG/good/list"
ok minke rmi -af
ok pull "$REG/good/list@$list"
! command -v skopeo >/dev/null || ok skopeo_pull
command gpgconf --homedir "$T/keys" --kill all
