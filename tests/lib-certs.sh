# shellcheck shell=bash
# An authority of the test's own, and the key of its server: registry_certs makes $CERTS/ca.crt (for --cert-dir) and
# $T/ca/server.{crt,key}, for localhost, 127.0.0.1, 127.0.0.2 and the hosts that docker.io consists of.
CERTS=$T/certs

# client_certificate FOLDER/NAME CA: NAME.cert and NAME.key of the authority CA.crt with CA.key
client_certificate() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=${1##*/}" -keyout "$1.key" -out "$1.csr" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -days 2 -out "$1.cert" 2>/dev/null
  rm "$1.csr"
}
authority() { # PATH NAME
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$2" -keyout "$1.key" -out "$1.crt" 2>/dev/null
}

registry_certs() {
  [ ! -e "$CERTS/ca.crt" ] || return 0
  mkdir -p "$CERTS" "$T/ca"
  authority "$T/ca/ca" 'minke tests'
  cp "$T/ca/ca.crt" "$CERTS/ca.crt"
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=localhost' \
    -keyout "$T/ca/server.key" -out "$T/ca/server.csr" 2>/dev/null
  local names=DNS:localhost,IP:127.0.0.1,IP:127.0.0.2,DNS:registry-1.docker.io,DNS:index.docker.io,DNS:auth.docker.io
  openssl x509 -req -in "$T/ca/server.csr" -CA "$T/ca/ca.crt" -CAkey "$T/ca/ca.key" -CAcreateserial -days 2 \
    -extfile <(echo "subjectAltName=$names,DNS:production.cloudflare.docker.com") -out "$T/ca/server.crt" 2>/dev/null
}
