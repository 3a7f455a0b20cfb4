#!/bin/bash
# Bases, and images that COPY --from names, come from registries when they are not here; --pull says when one is asked.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
. "$(dirname "$0")/../../lib-registry.sh"
is_podman && skip 'other words'
need_program skopeo
start_registry
push() { command skopeo copy -q --dest-tls-verify=false "docker-archive:$IMAGES/busybox.tar" "docker://$R/$1"; }
asked() { registry_log | grep -c GET || true; }
push base:1
push other:1
mkdir ctx
printf 'FROM %s/base:1\nCOPY --from=%s/other:1 /bin/busybox /copied\nRUN echo x >/x\n' "$R" "$R" >C
assert_error 125 'C:1: .*image not known' minke build --pull=never --network none --tls-verify=false -f C ctx
ok minke build --pull=false --network none --tls-verify=false -t made -f C ctx
assert_match "\[internal\] load $R/base:1" "$err"
ok run made test -x /copied
before=$(asked)
ok minke build --network none --tls-verify=false -f C ctx
assert_eq "$before" "$(asked)" 'questions to the registry'
assert_eq 2 "$(grep -c CACHED <<<"$err")"
ok minke build --pull --network none --tls-verify=false -f C ctx
[ "$(asked)" -gt "$before" ] || fail '--pull did not ask'
printf 'FROM %s/base:2\n' "$R" >C
assert_error 125 'C:1: .*manifest unknown' minke build --tls-verify=false -f C ctx
assert_error 125 'unsupported pull policy "often"' minke build --pull=often -f C ctx
nothing_staged
