#!/bin/bash
# sigstoreSigned: the signature that cosign puts beside an image is checked with the key of policy.json.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-registry.sh"
need_program openssl
start_registry
layered_image app 1
digest=$(jq -r '.manifests[0].digest' app/index.json)
ok skopeo copy -q --dest-tls-verify=false "oci:$T/app" "docker://$R/team/app:1"
export HOME=$T/home XDG_CONFIG_HOME=$T/home/.config
config=$XDG_CONFIG_HOME/containers
mkdir -p "$config/registries.d"
openssl ecparam -name prime256v1 -genkey -noout -out key.pem
openssl ec -in key.pem -pubout -out key.pub 2>/dev/null
printf '{"default": [{"type": "reject"}], "transports": {"docker": {"localhost": [{"type": "reject"}], "%s/team": [{"type": "sigstoreSigned",
  "keyPath": "%s", "signedIdentity": {"type": "matchRepository"}}]}}}' "$R" "$T/key.pub" >"$config/policy.json"
pull() { minke pull --quiet --tls-verify=false "$R/team/app:1"; }
put() { # FILE: into the layout sig; its digest and size
  blob=$(sha256sum <"$1" | cut -d' ' -f1) size=$(stat -c %s "$1")
  cp "$1" "sig/blobs/sha256/$blob"
}
attach() { # PAYLOAD-NAME PAYLOAD-DIGEST: signed with key.pem, under cosign's tag
  rm -rf sig && mkdir -p sig/blobs/sha256
  printf '{"critical":{"identity":{"docker-reference":"%s"},"image":{"docker-manifest-digest":"%s"},"type":"cosign container image signature"},"optional":null}' \
    "$1" "$2" >payload
  local signature layer config_blob
  signature=$(openssl dgst -sha256 -sign key.pem payload | base64 -w0)
  put payload
  layer="{\"mediaType\":\"application/vnd.dev.cosign.simplesigning.v1+json\",\"digest\":\"sha256:$blob\",\"size\":$size,\"annotations\":{\"dev.cosignproject.cosign/signature\":\"$signature\"}}"
  printf '{"architecture":"","os":"","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$blob" >cfg
  put cfg
  config_blob="{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:$blob\",\"size\":$size}"
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[%s]}' "$config_blob" "$layer" >manifest
  put manifest
  printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%s}]}' "$blob" "$size" >sig/index.json
  echo '{"imageLayoutVersion":"1.0.0"}' >sig/oci-layout
  ok skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$T/sig" "docker://$R/team/app:${digest/:/-}.sig"
}

# Not looked for where registries.d does not say so.
expect_exit 125 pull
assert_match 'A signature was required, but no signature exists' "$err"
printf 'docker:\n  %s:\n    use-sigstore-attachments: true\n' "$R" >"$config/registries.d/it.yaml"
expect_exit 125 pull
assert_match 'A signature was required, but no signature exists' "$err"

attach "$R/team/app" "sha256:$(printf x | sha256sum | cut -c1-64)"
expect_exit 125 pull
assert_match 'does not match the image' "$err"
attach "$R/team/other" "$digest"
expect_exit 125 pull
assert_match 'is not accepted' "$err"
cp key.pem kept.pem
openssl ecparam -name prime256v1 -genkey -noout -out key.pem
attach "$R/team/app" "$digest"
expect_exit 125 pull
assert_match 'cryptographic signature verification failed' "$err"
[ -z "$(minke images -q)" ]
cp kept.pem key.pem
attach "$R/team/app" "$digest"
ok pull
