#!/bin/bash
# Every crash point of the sources is one at which some test kills.
set -euo pipefail
cd "$(dirname "$0")/../.."
bad=0
while read -r name; do
  grep -rqE "(^|[^a-z.-])${name//./\\.}:(\\\$|\{|[0-9])" tests src --include='*.sh' --include='*_test.cc' ||
    { echo "no test kills at $name (MINKE_FAILPOINT=$name:STEP)" >&2; bad=1; }
done < <(grep -rhoE '\bfailpoint\("[^"]+"' src --include='*.cc' | cut -d'"' -f2 | sort -u)
exit $bad
