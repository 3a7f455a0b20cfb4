#!/bin/bash
# commit: instructions, author, message, squash, id file, volumes; what it refuses.
. "$(dirname "$0")/../../lib.sh"
need_image
minke create --name c --network none -v /anon -v named:/named "$IMG" sleep 1000 >/dev/null
ok minke commit -q --iidfile id -a 'me <x>' -m msg -f docker -c 'CMD ["a","b"]' -c 'ENV A=b' -c 'EXPOSE 80' -c 'LABEL a=b' \
  -c 'STOPSIGNAL 9' -c 'USER u' -c 'VOLUME /v' -c 'WORKDIR /w' -c 'ENTRYPOINT foo bar' c made
assert_eq "$out" "$(cat id)"
ok minke inspect made
json=$(jq -c '.[0] | {Author, Comment, c: .Config | {User, ExposedPorts, Entrypoint, Cmd, Volumes, WorkingDir, Labels, StopSignal}}' <<<"$out")
assert_eq '{"Author":"me <x>","Comment":"msg","c":{"User":"u","ExposedPorts":{"80/tcp":{}},"Entrypoint":["/bin/sh","-c","foo bar"],"Cmd":["a","b"],"Volumes":{"/anon":{},"/v":{}},"WorkingDir":"/w","Labels":{"a":"b"},"StopSignal":"9"}}' "$json"
assert_match A=b "$(jq -r '.[0].Config.Env[]' <<<"$out")"
ok minke commit -q --include-volumes c vols
assert_eq '/anon /named' "$(minke inspect vols | jq -r '.[0].Config.Volumes | keys | join(" ")')"
ok minke commit -q -s c flat
assert_eq 1 "$(minke inspect flat | jq '.[0].RootFS.Layers | length')"
ok run flat true
assert_error 125 'messages are only compatible with the docker image format' minke commit -m x c
assert_error 125 'unrecognized image format "foo"' minke commit -f foo c
assert_error 125 'invalid change "HEALTHCHECK CMD x" - invalid instruction HEALTHCHECK' minke commit -c 'HEALTHCHECK CMD x' c
assert_error 125 'no container with name or ID "nosuch" found: no such container' minke commit nosuch
is_podman && exit 0
echo '{"Env": ["B=c"], "Labels": {"l": "m"}, "Cmd": ["z"]}' >config
ok minke commit -q --config config c merged
assert_eq '["z"] m' "$(minke inspect merged | jq -rc '.[0].Config | "\(.Cmd) \(.Labels.l)"')"
# ports that are exposed or published are the image's too
ok minke create --name ports --expose 99 --expose 53/udp -p 127.0.0.1:18080-18081:80-81 "$IMG" true
ok minke commit -q ports exposing
assert_eq '53/udp 80/tcp 81/tcp 99/tcp' "$(minke image inspect exposing | jq -r '.[0].Config.ExposedPorts | keys | join(" ")')"
