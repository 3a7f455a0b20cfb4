#!/bin/bash
# ADD of URLs: the name, the mode and the time, checksums, archives, errors of the server; contexts and Containerfiles from a URL.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'podman 4.3 has neither --checksum nor --unpack'
need_program busybox
need_image
mkdir -p www/ctx tree
echo content >www/file.txt
touch -d '2001-02-03 04:05:06 UTC' www/file.txt
echo inside >tree/inside
tar -C tree -czf www/a.tgz .
printf 'FROM localhost/busybox\nCOPY inside /from-context\n' >tree/Containerfile
tar -C tree -czf www/ctx.tgz .
printf 'FROM localhost/busybox\nLABEL from=url\n' >www/Containerfile
for _ in 1 2 3 4 5; do
  port=$((20000 + RANDOM % 12000))
  busybox httpd -f -p 127.0.0.1:$port -h www &
  httpd=$!
  within 20 eval '[ -n "$(ss -Htln "sport = :$port")" ]' && kill -0 $httpd && break
done
trap 'kill $httpd' EXIT
url=http://127.0.0.1:$port
sum=$(sha256sum www/file.txt | cut -d' ' -f1)
build -t made <<E
FROM localhost/busybox
ADD $url/file.txt /plain/
ADD --chown=5:6 --chmod=644 $url/file.txt?x=1 /named
ADD --checksum=sha256:$sum $url/file.txt /checked
ADD $url/a.tgz /kept/
ADD --unpack=true $url/a.tgz /unpacked/
E
ok run made sh -c 'cat /checked /unpacked/inside; ls /kept; stat -c "%n %a %u:%g %Y" /plain/file.txt; stat -c "%n %a %u:%g" /named'
assert_eq $'content\ninside\na.tgz\n/plain/file.txt 600 0:0 981173106\n/named 644 5:6' "$out"
# a changed file is another step; one with a checksum is not even asked for
printf 'FROM localhost/busybox\nADD %s/file.txt /x\n' "$url" >C
ok minke build --network none -f C tree
echo other >www/file.txt
ok minke build --network none -f C tree
[[ $err != *'ADD'*CACHED* ]]
printf 'FROM localhost/busybox\nADD --checksum=sha256:%s %s/file.txt /x\n' "$sum" "$url" >C
assert_error 125 "file.txt: its digest is sha256:.* as --checksum says" minke build --network none -f C tree
printf 'FROM localhost/busybox\nADD %s/gone /x\n' "$url" >C
assert_error 125 'gone: the server answers 404' minke build --network none -f C tree
printf 'FROM localhost/busybox\nADD %s/ /x/\n' "$url" >C
expect_exit 125 minke build --network none -f C tree
# contexts
ok minke build --network none -t two "$url/ctx.tgz"
ok run two cat /from-context
assert_eq inside "$out"
ok minke build --network none -t three "$url/Containerfile"
assert_eq url "$(minke image inspect three | jq -r '.[0].Config.Labels.from')"
ok minke build --network none -t four -f "$url/Containerfile" tree
printf 'FROM localhost/busybox\nCOPY --from=other inside /other\n' >C
ok minke build --network none -t five --build-context "other=$url/ctx.tgz" -f C tree
ok run five cat /other
assert_eq inside "$out"
nothing_staged
