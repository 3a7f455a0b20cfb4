#!/bin/bash
# An invalid spec is refused before any process exists, with the path of the fault.
# needs: root
. "$(dirname "$0")/../../lib.sh"
runtime=$BIN/minke-runtime
[ -x "$runtime" ] || skip 'no minke-runtime here'
mkdir -p b/rootfs
(cd b && "$runtime" --root "$T/state" spec)
refused() { # JQ-CHANGE REGEX
  jq "$1" good.json >b/config.json
  rc=0
  "$runtime" --root "$T/state" run -b b bad >o 2>e </dev/null || rc=$?
  [ $rc != 0 ] || fail "$1 was accepted"
  assert_match "$2" "$(cat e)"
}
cp b/config.json good.json
refused 'del(.process.args)' 'process.*args'
refused '.process.user.uid = -1' 'process.user.uid'
refused '.linux.namespaces += [{"type":"nosuch"}]' 'linux.namespaces'
refused '.mounts[0].destination = "relative"' 'mounts\[0\].destination|mounts.0'
refused '.ociVersion = "9.0.0"' 'ociVersion'
