#!/bin/bash
# What speaks with registries is linked into one program alone.
set -euo pipefail
code=0
for program in "$BIN"/minke*; do
  needs=$(readelf -d "$program" 2>/dev/null | sed -n 's/.*(NEEDED).*\[\(lib\(curl\|ssl\|crypto\).*\)\]/\1/p' | tr '\n' ' ')
  case ${program##*/} in
    minke-transfer) [[ $needs = *libcurl* && $needs = *libssl* ]] || { echo "minke-transfer has no libcurl: $needs"; code=1; } ;;
    *) [ -z "$needs" ] || { echo "${program##*/} needs $needs"; code=1; } ;;
  esac
done
exit $code
