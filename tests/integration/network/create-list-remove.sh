#!/bin/bash
# Networks are made with free subnets, listed, found by name and id, and removed.
. "$(dirname "$0")/../../lib-network.sh"
ok minke network create n1
assert_eq n1 "$out"
ok minke network create --label a=b --internal n2
assert_error 125 'network name n1 already used: network already exists' minke network create n1
ok minke network create --ignore n1
assert_eq n1 "$out"
ok minke network ls -q
assert_eq $'n1\nn2\npodman' "$out"
ok minke network ls
assert_match 'NETWORK ID +NAME +DRIVER' "$out"
ok minke network ls --filter label=a --format '{{.Name}} {{.Driver}} {{.ID}} {{.Labels}} {{.Internal}}'
assert_match '^n2 bridge [0-9a-f]{12} a=b true$' "$out"
id=$(minke network ls --no-trunc --filter name=n1 --format '{{.ID}}')
ok minke network inspect "${id:0:9}"
assert_eq "$(printf n1 | sha256sum | cut -d' ' -f1)" "$(field "$out" '.[0].id')"
assert_eq 'bridge false true host-local' "$(field "$out" '.[0] | "\(.driver) \(.internal) \(.dns_enabled) \(.ipam_options.driver)"')"
# the first free ones: a user's host may have others in use
subnet=$(field "$out" '.[0].subnets[0].subnet')
if is_root; then assert_eq 10.89.0.0/24 "$subnet"; else assert_match '^10\.(89|9[0-9]|1[0-9][0-9]|2[0-9][0-9])\.[0-9]+\.0/24$' "$subnet"; fi
first=$(field "$out" '.[0].subnets[0].gateway')
assert_eq "${subnet%.0/24}.1" "$first"
ok minke inspect --type network n1
ok minke network inspect --format '{{.Name}} {{range .Subnets}}{{.Gateway}} {{end}}' n2
assert_match '^n2 10\.[0-9]+\.[0-9]+\.1 ' "$out"
assert_no_match " $first " "$out"
ok minke network ls --format json
assert_eq 3 "$(field "$out" length)"
ok minke network exists n1
expect_exit 1 minke network exists nosuch
assert_error 125 'inspecting object: network nosuch: unable to find network with name or ID nosuch: network not found' \
  minke network inspect nosuch
ok minke network rm n1
assert_error 1 'unable to find network with name or ID n1: network not found' minke network rm n1
ok minke network rm -f n1
assert_error 125 'default network podman cannot be removed' minke network rm podman
ok minke network prune -f
assert_eq n2 "$out"
