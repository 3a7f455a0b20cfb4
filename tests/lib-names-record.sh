# shellcheck shell=bash
# Attachment records written by hand, below the folder $T. Also for shells that do not source lib.sh.

# An id of 64 digits from a word.
id_of() { sha256sum <<<"$1" | cut -c1-64; }

# record NAME PID NETWORK=ADDRESS[+ADDRESS]@GATEWAY[+GATEWAY]... [-p 'HOST_IP|HOST|CONTAINER|PROTOCOL']... [-a ALIAS]... [-i]
# writes what the engine leaves of a container on networks. Its id is id_of NAME.
record() {
  local name=$1 pid=$2 id start networks='[]' ports='[]' aliases='[]' internal=false
  shift 2
  id=$(id_of "$name")
  while [ $# -gt 0 ]; do
    case $1 in
      -p) shift; ports=$(jq -c --arg p "$1" '. + [$p]' <<<"$ports") ;;
      -a) shift; aliases=$(jq -c --arg a "$1" '. + [$a]' <<<"$aliases") ;;
      -i) internal=true ;;
      *) networks=$(jq -c --arg n "$1" '. + [$n]' <<<"$networks") ;;
    esac
    shift
  done
  start=0
  [ "$pid" = 0 ] || start=$(sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f20)
  mkdir -p "$T/u/containers/$id"
  jq -cn --arg id "$id" --arg name "$name" --argjson pid "$pid" --argjson start "$start" --argjson internal "$internal" \
    --argjson networks "$networks" --argjson ports "$ports" --argjson aliases "$aliases" '
    {id: $id, name: $name, hostname: $name, pid: $pid, startTime: $start,
     networks: [$networks[] | capture("^(?<network>[^=]*)=(?<addresses>[^@]*)@(?<gateways>.*)$") |
       {network, driver: "bridge", interface: "eth0", addresses: (.addresses | split("+")),
        gateways: (.gateways | split("+")), $aliases, $internal, dnsEnabled: true}],
     ports: [$ports[] | split("|") |
       {host_ip: .[0], host_port: (.[1] | tonumber), container_port: (.[2] | tonumber), range: 1, protocol: .[3], proxy: "none"}]}
    ' >"$T/record.tmp"
  mv "$T/record.tmp" "$T/u/containers/$id/network"
}
