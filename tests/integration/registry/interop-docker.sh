#!/bin/bash
# What docker pushed we pull and run, what we pushed docker pulls: the same image id and the same digest. Lists and OCI images too.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-registry.sh"
need_program docker
need_program dockerd
need_image
export HOME=$T DOCKER_CONFIG=$T/.docker
docker() { command docker -H "unix://$T/docker.sock" "$@"; }
dockerd --data-root "$T/dd" --exec-root "$T/de" -H "unix://$T/docker.sock" --pidfile "$T/d.pid" --storage-driver vfs \
  --bridge none --iptables=false --ip6tables=false >dockerd.log 2>&1 &
dockerd=$!
end_docker() { # keeps the exit code
  local code=$?
  set +e
  kill "$dockerd" 2>/dev/null || true
  wait "$dockerd" 2>/dev/null || true
  awk -v t="$T/d" 'index($5, t) == 1 { print $5 }' /proc/self/mountinfo | tac | xargs -r umount -l
  (exit $code)
  cleanup_registries
}
trap end_docker EXIT
for _ in $(seq 300); do
  ! docker version >/dev/null 2>&1 || break
  kill -0 "$dockerd" 2>/dev/null || skip "dockerd does not start here: $(tail -n 1 dockerd.log)"
  sleep 0.2
done
ok docker version
start_registry

# from docker
ok docker load -q -i "$IMAGES/busybox.tar"
ok docker tag "$IMG" "$R/by-docker:1"
ok docker push -q "$R/by-docker:1"
id=$(docker image inspect --format '{{.Id}}' "$R/by-docker:1")
digest=$(docker image inspect --format '{{index .RepoDigests 0}}' "$R/by-docker:1")
ok minke rmi -a
ok minke pull -q --tls-verify=false "$R/by-docker:1"
assert_eq "$id" "sha256:$out" 'image id as docker has it'
assert_eq "${digest#*@}" "$(minke image inspect --format '{{.Digest}}' "$R/by-docker:1")" 'digest as docker pushed it'
ok run "$R/by-docker:1" echo works
assert_eq works "$out"

# to docker: byte for byte, in both dialects, packed here, and of a list
docker_pulls() { # NAME ID DIGEST
  ok docker pull -q "$R/$1"
  assert_eq "$2" "$(docker image inspect --format '{{.Id}}' "$R/$1")" "$1: image id"
  assert_match "@$3\$" "$(docker image inspect --format '{{join .RepoDigests "\n"}}' "$R/$1")" "$1: digest"
  ok docker rmi -f "$R/$1"
}
ok docker rmi -f "$id"
ok minke push -q --tls-verify=false --digestfile d "$R/by-docker:1" "$R/by-minke:1"
assert_eq "${digest#*@}" "$(cat d)" 'digest as minke pushed it'
docker_pulls by-minke:1 "$id" "$(cat d)"
printf 'FROM %s/by-docker:1\nRUN echo mine >/mine\n' "$R" >Containerfile
ok minke build -q --network none --pull=never -t made .
made=$(minke image inspect --format '{{.Id}}' made)
for format in oci v2s2; do
  ok minke push -q --tls-verify=false --format $format --digestfile d made "$R/made:$format"
  docker_pulls "made:$format" "sha256:$made" "$(cat d)"
done
# zstd: docker has read it since 23.0, whoever packed it
ok minke push -q --tls-verify=false --compression-format zstd --digestfile d made "$R/made:zstd"
if [ "$(docker version --format '{{.Server.Version}}' | cut -d. -f1)" -ge 23 ]; then
  docker_pulls made:zstd "sha256:$made" "$(cat d)"
else
  expect_exit 1 docker pull -q "$R/made:zstd"
  ok skopeo copy -q --src-tls-verify=false "docker://$R/made:zstd" "oci:$T/zstd:1"
  jq -r '.layers[].digest' "zstd/blobs/sha256/$(cut -d: -f2 d)" | cut -d: -f2 >layers
  while read -r layer; do ok zstd -qt "zstd/blobs/sha256/$layer"; done <layers
fi
ok minke manifest create list made
ok minke manifest push -q --tls-verify=false --digestfile d list "$R/list:1"
docker_pulls list:1 "sha256:$made" "$(cat d)"
