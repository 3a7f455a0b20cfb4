#!/bin/bash
# A published port answers on [::1] too, whether or not the host's bridges hand IPv6 packets to netfilter themselves, and when that changes.
# needs: root
. "$(dirname "$0")/../../lib-network.sh"
need_image
setting=/proc/sys/net/bridge/bridge-nf-call-ip6tables
[ -w $setting ] || skip 'no br_netfilter in this kernel'
answered() { within 20 eval '[ -n "$(seen_as tcp ::1 8080)" ]'; }
for value in 0 1; do
  echo $value >$setting
  minke run -d --name c -p 8080:80 "${serving[@]}" "$IMG" sleep 1000 >/dev/null
  serve c 80
  answered
  minke rm -f -t 0 c >/dev/null
done
minke run -d --name c -p 8080:80 "${serving[@]}" "$IMG" sleep 1000 >/dev/null
serve c 80
for value in 0 1 0; do
  echo $value >$setting
  minke network reload c >/dev/null
  answered
done
minke rm -f -t 0 c >/dev/null
nothing_left
