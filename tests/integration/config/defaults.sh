#!/bin/bash
# What containers.conf says holds where no option says otherwise.
. "$(dirname "$0")/../../lib.sh"
need_image
unset CONTAINERS_CONF_OVERRIDE XDG_CONFIG_HOME
export CONTAINERS_CONF=$T/c.conf HOME=$T
mkdir "$T/data" && echo hello >"$T/data/file" && chmod 755 "$T/data"
cat >"$CONTAINERS_CONF" <<C
[containers]
annotations = ["one=1", "two=2"]
default_capabilities = ["CHOWN", "kill"]
default_ulimits = ["nofile=200:300"]
env = ["FROMCONF=yes", "TWICE=conf"]
init = true
pids_limit = 77
read_only = true
shm_size = "1m"
tz = "UTC"
umask = "0027"
volumes = ["$T/data:/data:ro"]
log_driver = "json-file"
container_name_as_hostname = true
base_hosts_file = "none"
utsns = "private"
[engine]
stop_timeout = 3
C
ok run --name first -e TWICE=option "$IMG" sh -c 'echo $FROMCONF $TWICE; umask; ulimit -n; cat /data/file; hostname; cat /etc/hosts; df -k /dev/shm | tail -1
  grep CapBnd /proc/self/status; cat /proc/1/comm; touch /x 2>/dev/null || echo frozen'
assert_match $'yes option\n0027\n200\nhello\nfirst\n127' "$out"
assert_match 'podman-init|catatonit' "$out"
assert_match frozen "$out"
assert_match '1024 ' "$out"
assert_match 'CapBnd:.0*21' "$out"
assert_eq 1 "$(grep -c 127 <<<"$out")" 'lines of /etc/hosts'
ok minke create --name c "$IMG" true
ok minke inspect c
assert_eq '77 1 2 json-file 3 true 1048576' "$(field "$out" '.[0] | "\(.HostConfig.PidsLimit) \(.Config.Annotations.one) \(.Config.Annotations.two) \(.HostConfig.LogConfig.Type) \(.Config.StopTimeout) \(.HostConfig.ReadonlyRootfs) \(.HostConfig.ShmSize)"')"

# Options win, whatever their kind.
ok minke create --name d --read-only=false --pids-limit 5 --annotation one=9 --log-driver k8s-file --stop-timeout 8 \
  --tmpfs /data --init=false "$IMG" true
ok minke inspect d
assert_eq '5 9 2 k8s-file 8 false' "$(field "$out" '.[0] | "\(.HostConfig.PidsLimit) \(.Config.Annotations.one) \(.Config.Annotations.two) \(.HostConfig.LogConfig.Type) \(.Config.StopTimeout) \(.HostConfig.ReadonlyRootfs)"')"
assert_no_match "$T/data" "$out"

# What was decided at create stays.
rm "$CONTAINERS_CONF"
unset CONTAINERS_CONF
ok minke start -a c
ok minke container inspect c
assert_match json-file "$out"
