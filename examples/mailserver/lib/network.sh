# shellcheck shell=bash
# PERMIT_DOCKER: whose mail is relayed without a password. Strangers keep their own address on every network of minke, so none of
# these lets them in; what the values mean is docker-mailserver's.

# 10.89.3.7/24 -> 10.89.3.0/24
network_of() {
  local address=${1%/*} length=${1#*/} a b c d value
  IFS=. read -r a b c d <<<"$address"
  value=$((((a << 24) | (b << 16) | (c << 8) | d) & (length == 0 ? 0 : 0xffffffff << (32 - length))))
  printf '%d.%d.%d.%d/%d\n' $((value >> 24 & 255)) $((value >> 16 & 255)) $((value >> 8 & 255)) $((value & 255)) "$length"
}

own_address() {
  ip -o -4 addr show dev "$NETWORK_INTERFACE" 2>/dev/null | sed -n 's/.* inet \([0-9.]*\).*/\1/p' | head -n 1
}

# What Postfix's mynetworks shall be.
trusted_networks() {
  local local='127.0.0.0/8 [::1]/128 [fe80::]/64' address
  [ "$PERMIT_DOCKER" != none ] || return 0
  address=$(own_address)
  [ -n "$address" ] || [ "$PERMIT_DOCKER" = network ] ||
    die "PERMIT_DOCKER=$PERMIT_DOCKER: the interface $NETWORK_INTERFACE has no IPv4 address; name another by NETWORK_INTERFACE"
  case $PERMIT_DOCKER in
    container) echo "$local $address/32" ;;
    host) echo "$local $(network_of "$address/16")" ;;
    network) echo "$local 172.16.0.0/12" ;;
    connected-networks)
      ip -o -4 addr show type veth | awk '{print $4}' |
        { while read -r address; do local+=" $(network_of "$address")"; done; echo "$local"; }
      ;;
  esac
}
