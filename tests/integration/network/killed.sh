#!/bin/bash
# A command that is killed at a step of start, connect or disconnect: the next one goes through, and nothing is left in the end.
. "$(dirname "$0")/../../lib-network.sh"
need_image
need_ports 1
minke network create n1 >/dev/null
minke network create n2 >/dev/null
on_net x n1
killed() { # STEP COMMAND...: at once, or by an error where a child of the command is who was killed
  local step=$1 code=0
  shift
  # shellcheck disable=SC2154 # lib.sh sets it
  (export MINKE_FAILPOINT=$step && exec "$MINKE" "${engine_options[@]}" "$@") >/dev/null 2>&1 || code=$?
  [[ $code =~ ^(125|126|137)$ ]] || fail "exit code $code at $step"
}
for step in 1 2 3 4 9; do
  killed "engine.network:$step" run -d --name c --network n2 -p "${port[0]}:80" "$IMG" sleep 1000
  minke rm -f -t 0 -i c >/dev/null
  ok minke run --rm --network n2 -p "${port[0]}:80" "$IMG" true
done
for step in 1 2 3 4; do
  killed "engine.connect:$step" network connect n2 x
  minke network disconnect -f n2 x >/dev/null 2>&1 || true
  ok minke network connect n2 x
  ok minke exec x ip -o -4 addr
  assert_match "$(address_of x n2)/24" "$out"
  [ "$step" = 4 ] || ok minke network disconnect n2 x
done
for step in 1 2 3; do
  killed "engine.disconnect:$step" network disconnect n2 x
  minke network disconnect n2 x >/dev/null 2>&1 || true
  ok minke exec x ip -o -4 addr
  assert_no_match 'eth1' "$out"
  ok minke network connect n2 x
done
ok minke rm -f -t 0 x
within 20 eval '! inside ip -br link | grep -q ^veth' # the kernel takes them when the namespace is gone
nothing_left
