#!/bin/bash
# A RUN has the caller's proxies, unless --http-proxy=false, and unless the image or --build-arg says otherwise; the image has none of
# them, and another proxy is no reason to run a step again.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
unset http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY FTP_PROXY ftp_proxy
export http_proxy=http://proxy.example:3128 NO_PROXY=example.org
seen() { sort seen | grep -i _proxy; } # what the RUN wrote
cat >run <<'E'
FROM localhost/busybox
RUN env >/seen
E
build -t a <run
run a cat /seen >seen
assert_eq $'NO_PROXY=example.org\nhttp_proxy=http://proxy.example:3128' "$(seen)"
assert_no_match 'http_proxy|NO_PROXY' "$(minke image inspect a)"
assert_no_match proxy.example "$(minke history --no-trunc a)"

build --http-proxy=false --no-cache -t b <run
run b cat /seen >seen
assert_eq '' "$(seen)"

build --no-cache --build-arg http_proxy=http://other:1 -t c <run
run c cat /seen >seen
assert_eq $'NO_PROXY=example.org\nhttp_proxy=http://other:1' "$(seen)"

build --no-cache -t d <<'E'
FROM localhost/busybox
ENV NO_PROXY=mine
RUN env >/seen
E
run d cat /seen >seen
assert_eq $'NO_PROXY=mine\nhttp_proxy=http://proxy.example:3128' "$(seen)"
