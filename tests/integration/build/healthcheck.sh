#!/bin/bash
# A health check is kept with all its options, in OCI images too, and runs.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
for format in oci docker; do
  build --format $format -t checked <<'E'
FROM localhost/busybox
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=7 CMD test -e /ok
E
  check=$(minke image inspect checked | jq -c '.[0] | .Healthcheck // .HealthCheck // .Config.Healthcheck')
  assert_eq '["CMD-SHELL","test -e /ok"]' "$(jq -c .Test <<<"$check")"
  assert_eq '5000000000 3000000000 10000000000 7' "$(jq -r '"\(.Interval) \(.Timeout) \(.StartPeriod) \(.Retries)"' <<<"$check")"
done
start --name c checked sh -c 'touch /ok; exec sleep 1000' >/dev/null
within 20 minke healthcheck run c
