#!/bin/bash
# The table `inet minke` comes back by itself when somebody flushes all rules, with the networks, their name server and the published ports.
# needs: root
. "$(dirname "$0")/../../lib-names.sh"

need_program nft
mkdir -p "$T/r/networks"
printf '{"name":"front","id":"%s","driver":"bridge","network_interface":"minke7","created":"2026-01-01T00:00:00Z","subnets":[{"subnet":"10.77.0.0/24","gateway":"10.77.0.1"}],"dns_enabled":true}' \
  "$(id_of front)" >"$T/r/networks/front.json"

sleeper
record web "$sleeper" front=10.77.0.2/24@10.77.0.1 -p '|8080|80|tcp'
netd start
nft flush ruleset
netd sync "$(id_of web)"
nft flush ruleset
has_rules() {
  local rules
  rules=$(nft list table inet minke) && grep -q 27753 <<<"$rules" && grep -q '10.77.0.2 . 80' <<<"$rules"
}
within 20 has_rules
restored=$(status .rulesRestored)
nft delete table inet minke
within 20 has_rules
[ "$(status .rulesRestored)" -gt "$restored" ] || fail 'not counted'
forget web
end_netd
