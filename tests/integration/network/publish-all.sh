#!/bin/bash
# -P publishes what is exposed on ports that differ; without a host's port a free one is chosen; container: shows the other's.
. "$(dirname "$0")/../../lib-network.sh"
need_image
ok minke create --name c -P --expose 99 --expose 100-101/udp -p 80 "$IMG" sleep 1000
ok minke inspect c
ports=$(field "$out" '.[0].HostConfig.PortBindings | keys | join(" ")')
assert_eq '100/udp 101/udp 80/tcp 99/tcp' "$ports"
assert_eq 4 "$(field "$out" '[.[0].HostConfig.PortBindings[][0].HostPort] | unique | length')"
assert_eq true "$(field "$out" '.[0].HostConfig.PublishAllPorts')"
ok minke start c
before=$(minke port c 80)
ok minke restart -t 0 c
assert_eq "$before" "$(minke port c 80)"
minke run -d --name d --network container:c "$IMG" sleep 1000 >/dev/null
assert_eq "$before" "$(minke port d 80)"
host=$(minke inspect --format '{{.Config.Hostname}}' c)
ok minke exec d cat /etc/hosts
assert_match "	$host c" "$out"
ok minke rm -f -t 0 d
ok minke rm -f -t 0 c
nothing_left
