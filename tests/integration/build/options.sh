#!/bin/bash
# Options of build that show in the image or in what its commands see.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
mkdir host
echo from-host >host/f
build -t one -t two:2 --label l=1 --annotation an=2 --env E=5 --iidfile id --build-arg A=3 --add-host name:10.1.2.3 \
  --cap-drop all --shm-size 1m --ulimit nofile=100:200 -v "$T/host:/host:ro" --memory 64m <<'E'
FROM localhost/busybox
ARG A
RUN echo $A $E >/a; cat /host/f >>/a; grep name /etc/hosts >>/a; grep CapEff /proc/self/status >>/a; ulimit -n >>/a
E
ok run one cat /a
assert_match $'^3 5\nfrom-host\n10.1.2.3\tname.*\nCapEff:\t0000000000000000\n100' "$out"
assert_eq "$(minke image inspect --format '{{.Id}}' two:2)" "$(minke image inspect --format '{{.Id}}' one)"
assert_eq "sha256:$(minke image inspect --format '{{.Id}}' one)" "$(cat id)"
assert_eq 1 "$(config one .Labels.l)"
assert_eq 2 "$(minke image inspect one | jq -r '.[0].Annotations.an')"
assert_match 'E=5' "$(config one .Env)"
build --unsetenv E --env E=1 -q <<<'FROM one'
assert_eq "$(cat build.id)" "$(cat build.out)"
assert_no_match 'E=' "$(config "$(cat build.id)" .Env)"
# isolation: RUN is always a container
for isolation in oci rootless chroot; do ok minke build -q --isolation $isolation --network none -f Containerfile empty; done
assert_match '--isolation chroot: every RUN is a container all the same' "$err"
ok env BUILDAH_ISOLATION=chroot "$MINKE" "${engine_options[@]}" build --network none -f Containerfile empty
assert_match 'BUILDAH_ISOLATION=chroot: every RUN is a container' "$err"
assert_error 125 'unrecognized isolation type "hyperv"' minke build --isolation hyperv empty
