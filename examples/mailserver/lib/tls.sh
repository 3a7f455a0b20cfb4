# shellcheck shell=bash
# SSL_TYPE: where the certificate is. What is used lies in /etc/mailserver/tls.

make_tls() {
  local cert='' key='' live
  install -d -m 755 /etc/mailserver
  install -d -m 700 /etc/mailserver/tls
  case $SSL_TYPE in
    '')
      log warn 'SSL_TYPE is not set: passwords and mail travel in the clear, and port 465 is closed'
      return
      ;;
    manual) cert=$SSL_CERT_PATH key=$SSL_KEY_PATH ;;
    letsencrypt)
      for live in "$HOST" "$DOMAIN"; do
        cert=/etc/letsencrypt/live/$live/fullchain.pem key=/etc/letsencrypt/live/$live/privkey.pem
        [ ! -e "$cert" ] || break
      done
      ;;
    self-signed)
      cert=$CONFIG/ssl/$HOST-cert.pem key=$CONFIG/ssl/$HOST-key.pem
      if [ ! -e "$cert" ]; then
        cert=$STATE/tls/$HOST-cert.pem key=$STATE/tls/$HOST-key.pem
        [ -s "$cert" ] || self_signed "$cert" "$key"
      fi
      ;;
  esac
  [ -s "$cert" ] || die "SSL_TYPE=$SSL_TYPE: no certificate at '$cert'"
  [ -s "$key" ] || die "SSL_TYPE=$SSL_TYPE: no key at '$key'"
  openssl x509 -in "$cert" -noout 2>/dev/null || die "SSL_TYPE=$SSL_TYPE: '$cert' is no certificate"
  install -m 644 "$cert" /etc/mailserver/tls/cert.pem
  install -m 600 "$key" /etc/mailserver/tls/key.pem
}

# Made once and kept in the state, so that clients who have accepted it are not asked again.
self_signed() { # CERT KEY
  log info "making a certificate for $HOST (ten years; give your own in $CONFIG/ssl or by SSL_TYPE=manual)"
  install -d -m 700 "$(dirname "$1")"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=$HOST" \
    -addext "subjectAltName=DNS:$HOST" -keyout "$2" -out "$1.new" 2>/dev/null || die "openssl could not make a certificate for $HOST"
  mv "$1.new" "$1"
}
