#!/bin/bash
# Every key that the program knows of containers.conf and storage.conf stands in docs/configuration.md.
set -euo pipefail
cd "$(dirname "$0")/../.."
missing=0
while read -r key; do
  grep -q "\`$key\`" docs/configuration.md || { echo "docs/configuration.md: nothing about $key" >&2; missing=1; }
done < <(sed -n 's/^    {"\(containers\|engine\|storage\|storage.options\)", "\([^"]*\)",.*/\2/p' src/config/containers_conf.cc)
exit $missing
