#!/bin/bash
# What http_proxy, https_proxy and no_proxy say counts for pull, push, and what build fetches; this machine is never asked for by a proxy.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
. "$(dirname "$0")/../../lib-registry.sh"
need_program python3
proxy_pid=''
start_proxy() { # [USER:PASSWORD]
  if [ -n "$proxy_pid" ]; then kill "$proxy_pid"; wait "$proxy_pid" 2>/dev/null || true; fi
  rm -rf proxy && mkdir proxy
  "$(dirname "${BASH_SOURCE[0]}")/../../probe/httpproxy" "$T/proxy" "$@" &
  proxy_pid=$!
  within 60 test -s proxy/port
  P=127.0.0.1:$(cat proxy/port)
}
trap 'code=$?; set +e; kill $proxy_pid; (exit $code); cleanup_registries' EXIT
asked() { cat proxy/log 2>/dev/null || true; }
unset http_proxy https_proxy no_proxy all_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY
pull() { env "${variables[@]}" "$MINKE" "${engine_options[@]}" pull -q --retry 0 --tls-verify=false "$@"; }
start_registry
layered_image app 1
ok skopeo copy -q --dest-tls-verify=false "oci:$T/app" "docker://$R/team/app:1"
far=registry.test:${R##*:}
start_proxy

# neither name nor proxy
variables=(A=)
assert_error 125 'no such host' pull "$far/team/app:1"
for name in http_proxy HTTP_PROXY; do
  variables=("$name=http://$P" "${name/http/https}=http://$P" "${name/HTTP/HTTPS}=http://$P")
  ok pull "$far/team/app:1"
  assert_match "GET http://$far/v2/team/app/manifests/1 200" "$(asked)"
  assert_match "GET http://$far/v2/team/app/blobs/sha256:[0-9a-f]* 200" "$(asked)"
  ok minke rmi -a
  rm proxy/log
done
for value in registry.test .test "$far" '*'; do
  assert_error 125 'no such host' env no_proxy="$value" "${variables[@]}" "$MINKE" "${engine_options[@]}" pull -q --retry 0 --tls-verify=false "$far/team/app:1"
done
assert_error 125 'no such host' env NO_PROXY=test,other.example "${variables[@]}" "$MINKE" "${engine_options[@]}" pull -q --retry 0 --tls-verify=false "$far/team/app:1"
assert_eq '' "$(asked)"
ok pull "$R/team/app:1"
assert_eq '' "$(asked)" 'this machine, by a proxy'
ok env "${variables[@]}" "$MINKE" "${engine_options[@]}" push -q --tls-verify=false "$R/team/app:1" "$far/team/new:1"
assert_match "PUT http://$far/v2/team/new/manifests/1 201" "$(asked)"

# with a password, in upper case first as Go has it
start_proxy gordon:sesame
variables=(http_proxy=http://nowhere.test:1 "HTTP_PROXY=http://gordon:sesame@$P" "HTTPS_PROXY=http://gordon:sesame@$P")
ok pull "$far/team/new:1"
variables=("HTTP_PROXY=http://$P" "HTTPS_PROXY=http://$P")
assert_error 125 407 pull "$far/team/app:1"

# https, through a tunnel; the base of a build and ADD
start_registry secure tls
ok skopeo copy -q --dest-tls-verify=false "oci:$T/app" "docker://$R/team/app:1"
secure=registry.test:${R##*:}
assert_error 125 407 pull "$secure/team/app:1"
start_proxy
assert_error 125 'certificate is not valid for registry.test' env "https_proxy=http://$P" "$MINKE" "${engine_options[@]}" pull -q --retry 0 --cert-dir "$CERTS" "$secure/team/app:1"
variables=("https_proxy=http://$P")
ok pull "$secure/team/app:1"
assert_match "CONNECT $secure 200" "$(asked)"
ok minke rmi -af
mkdir web && echo page >web/page
mkdir ctx
python3 -u -m http.server --bind 127.0.0.1 --directory web 0 >web.log 2>&1 &
web=$!
trap 'code=$?; set +e; kill $proxy_pid $web; (exit $code); cleanup_registries' EXIT
within 60 grep -q 'port [0-9]' web.log
far=web.test:$(sed -n 's/.*port \([0-9]*\).*/\1/p' web.log)
printf 'FROM %s/team/app:1\nADD http://%s/page /page\n' "$secure" "$far" >C
ok env "http_proxy=http://$P" "https_proxy=http://$P" "$MINKE" "${engine_options[@]}" build --tls-verify=false --network none -t made -f C ctx
assert_match "GET http://$far/page 200" "$(asked)"
