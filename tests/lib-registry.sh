# shellcheck shell=bash
# For tests with a real registry (docker-registry) on this machine alone: . lib.sh, then this one. `start_registry [NAME]
# [plain|tls|mtls] [open|auth]` starts one with its data and log in $T/reg-NAME, on a free port; its address is in $R. The user
# of `auth` is $REG_USER with $REG_PASS; the authority of `tls` is in $T/certs ($CERTS, for --cert-dir); `mtls` besides wants
# to know who the client is, by a certificate of $T/ca/clients.crt.
# shellcheck source=tests/lib-certs.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib-certs.sh"

need_program docker-registry
REG_USER=gordon REG_PASS=sesame R=''
declare -A registry_pids=()

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    [ -n "$(ss -Htln "sport = :$port")" ] || break
  done
  echo "$port"
}

# shellcheck disable=SC2034 # R is for the scripts
start_registry() { # [NAME] [plain|tls|mtls] [open|auth] [PORT]
  local name=${1:-r1} kind=${2:-plain} auth=${3:-open} port=${4:-}
  local dir=$T/reg-$name
  mkdir -p "$dir/data"
  for _ in 1 2 3 4 5; do
    [ -n "${4:-}" ] || port=$(free_port)
    {
      printf 'version: 0.1\nlog: {level: info, accesslog: {disabled: false}}\n'
      printf 'storage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}}\n' "$dir/data"
      printf 'http:\n  addr: 127.0.0.1:%s\n' "$port"
      [ "$kind" = plain ] || printf '  tls:\n    certificate: %s\n    key: %s\n' "$T/ca/server.crt" "$T/ca/server.key"
      [ "$kind" != mtls ] || printf '    clientcas: [%s]\n' "$T/ca/clients.crt"
      [ "$auth" = open ] || printf 'auth: {htpasswd: {realm: tests, path: %s}}\n' "$dir/htpasswd"
    } >"$dir/config.yml"
    [ "$kind" = plain ] || registry_certs
    [ "$kind" != mtls ] || [ -e "$T/ca/clients.crt" ] || authority "$T/ca/clients" 'clients of minke tests'
    [ "$auth" = open ] || htpasswd -Bbn "$REG_USER" "$REG_PASS" >"$dir/htpasswd"
    OTEL_TRACES_EXPORTER=none docker-registry serve "$dir/config.yml" >>"$dir/log" 2>&1 &
    registry_pids[$name]=$!
    R=localhost:$port
    for _ in $(seq 200); do
      [ -z "$(ss -Htln "sport = :$port")" ] || return 0
      kill -0 "${registry_pids[$name]}" 2>/dev/null || break
      sleep 0.05
    done
    stop_registry "$name"
  done
  fail "no registry: $(tail -n 5 "$dir/log")"
}

stop_registry() { # [NAME]
  local pid=${registry_pids[${1:-r1}]:-}
  [ -n "$pid" ] || return 0
  kill -9 "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  unset "registry_pids[${1:-r1}]"
}
cleanup_registries() { # keeps the exit code
  local code=$? name
  for name in "${!registry_pids[@]}"; do stop_registry "$name"; done
  (exit $code)
  cleanup
}
trap cleanup_registries EXIT

# registry_log [NAME]: lines of METHOD PATH STATUS BYTES that it has answered.
registry_log() {
  sed -nE 's/^[^"]*"([A-Z]+) ([^ "]+) HTTP[^"]*" ([0-9]+) ([0-9]+) .*/\1 \2 \3 \4/p' "$T/reg-${1:-r1}/log"
}

# The same image by another tool: skopeo never verifies here, the store is a folder of the test's own.
skopeo() { command skopeo --tmpdir "$T" "$@"; }

# layered_image NAME COUNT [KIB]: an image of COUNT layers of KIB random KiB each on top of busybox, as an OCI layout $T/NAME.
# Made without an engine, so that no engine's own way of packing is what is tested.
layered_image() {
  local name=$1 count=$2 kib=${3:-16} i dir=$T/$1 layers='' diffs='' digest diff size
  mkdir -p "$dir/blobs/sha256" "$T/layer/etc"
  for ((i = 0; i < count; i++)); do
    rm -rf "$T/layer" && mkdir -p "$T/layer/data"
    head -c "${kib}K" /dev/urandom >"$T/layer/data/$i"
    tar -C "$T/layer" --owner 0 --group 0 --numeric-owner -cf "$T/layer.tar" data
    diff=$(sha256sum <"$T/layer.tar" | cut -d' ' -f1)
    gzip -1 -n -c "$T/layer.tar" >"$T/layer.gz"
    digest=$(sha256sum <"$T/layer.gz" | cut -d' ' -f1) size=$(stat -c %s "$T/layer.gz")
    mv "$T/layer.gz" "$dir/blobs/sha256/$digest"
    layers+=${layers:+,}"{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"sha256:$digest\",\"size\":$size}"
    diffs+=${diffs:+,}"\"sha256:$diff\""
  done
  rm -rf "$T/layer" "$T/layer.tar"
  put_blob() { # FILE: its digest
    digest=$(sha256sum <"$1" | cut -d' ' -f1) size=$(stat -c %s "$1")
    mv "$1" "$dir/blobs/sha256/$digest"
  }
  printf '{"created":"2026-01-01T00:00:00Z","architecture":"amd64","os":"linux","config":{"Cmd":["/bin/sh"]},"rootfs":{"type":"layers","diff_ids":[%s]}}' \
    "$diffs" >"$T/config.json"
  put_blob "$T/config.json"
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[%s]}' \
    "$digest" "$size" "$layers" >"$T/manifest.json"
  put_blob "$T/manifest.json"
  printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%s,"annotations":{"org.opencontainers.image.ref.name":"%s"}}]}' \
    "$digest" "$size" "$name" >"$dir/index.json"
  echo '{"imageLayoutVersion":"1.0.0"}' >"$dir/oci-layout"
}
