#!/bin/bash
# A client on a terminal that is ended by a signal leaves the terminal as it was.
. "$(dirname "$0")/../../lib.sh"
need_image
cat >client.sh <<'END'
# EXPECTED-EXIT SIGNAL COMMAND...
want=$1 signal=$2
shift 2
exec 3<&0
before=$(stty -g <&3) tries=600
"$@" <&3 &
client=$!
while [ "$(stty -g <&3)" = "$before" ] && [ $tries -gt 0 ]; do sleep 0.05; tries=$((tries - 1)); done
[ $tries -gt 0 ] || echo "the terminal stays as it is"
[ -z "$READY" ] || until [ -e "$READY" ]; do sleep 0.05; done
kill -s "$signal" "$client"
code=0
wait "$client" || code=$?
[ $code = "$want" ] && [ "$(stty -g <&3)" = "$before" ] && echo "as it was"
echo "exit $code: $(stty -a <&3)"
END
# shellcheck disable=SC2154 # lib.sh sets it
restored() { # EXPECTED-EXIT SIGNAL COMMAND...
  local want=$1 signal=$2
  shift 2
  timeout 60 "$PTY" 24x80 sh "$T/client.sh" "$want" "$signal" "$MINKE" "${engine_options[@]}" "$@" >said </dev/null || true
  grep -q 'as it was' said || fail "$signal: $*
$(cat said)"
}
export READY=''
mkdir -m 777 shared
start -it --name c "$IMG" sleep 1000 >/dev/null
restored 143 TERM exec -it c sleep 1000
restored 129 HUP exec -it c sleep 1000
restored 143 TERM attach --sig-proxy=false c
restored 129 HUP attach --sig-proxy=false c
restored 143 TERM run -it --name d --sig-proxy=false --network none "$IMG" sleep 1000
ok minke rm -f -t 0 d
# handed on, it is the container that ends
READY=$T/shared/trapped restored 7 TERM run --rm -it --network none -v "$T/shared:/s" "$IMG" \
  sh -c 'trap "exit 7" TERM; : >/s/trapped; while :; do sleep 0.1; done'
is_podman && exit 0
restored 143 TERM login --username u localhost:1
restored 129 HUP login --username u localhost:1
