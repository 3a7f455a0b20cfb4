#!/bin/bash
# Proxy variables of the caller are copied unless --http-proxy=false.
. "$(dirname "$0")/../../lib.sh"
need_image
export http_proxy=http://proxy.example:3128 NO_PROXY=example.org

ok run "$IMG" env
assert_match 'http_proxy=http://proxy.example:3128' "$out"
assert_match 'NO_PROXY=example.org' "$out"
ok run --http-proxy=false "$IMG" env
assert_no_match '(http_proxy|NO_PROXY)=' "$out"
