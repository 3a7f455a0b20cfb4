#!/bin/bash
# RUN is on the network that is asked for: names of its containers resolve there; none and host by the instruction.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'podman 4.3 needs CNI or netavark here'
need_image
ok minke network create n
minke run -d --name web --network n "$IMG" sh -c 'mkdir /w; echo page >/w/index.html; exec httpd -f -h /w' >/dev/null
mkdir ctx
cat >C <<'E'
FROM localhost/busybox
RUN i=0; until wget -qO /page http://web/; do i=$((i+1)); [ $i -lt 100 ]; sleep 0.2; done
RUN --network=none ls /sys/class/net >/none
RUN --network=host ls /sys/class/net >/host
E
ok minke build -q --network n -t made -f C ctx
ok run made cat /page /none
assert_eq $'page\nlo' "$out"
# the files of names are the engine's, and in no layer
ok minke save --format oci-archive -q -o made.tar made
mkdir made && tar -C made -xf made.tar
for blob in made/blobs/sha256/*; do tar -tf "$blob" 2>/dev/null || true; done >list
assert_eq 0 "$(grep -cE 'etc/(hosts|resolv.conf|hostname)$' list || true)"
