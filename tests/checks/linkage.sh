#!/bin/bash
# Start-up time is what minke and its monitor are about: the command links glibc and nothing else at run
# time, the monitor not even that.
set -euo pipefail
if grep -qE '__(a|t)san_' <<<"$(nm -D "$BIN/minke" 2>/dev/null)"; then
  echo "SKIPPED: sanitized builds link their own libraries" >&2
  exit 77
fi
needed() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }
code=0
for program in minke minke-runtime; do
  for library in $(needed "$BIN/$program"); do
    case $library in
      libc.so.6 | libm.so.6 | ld-linux*) ;;
      *) echo "$program needs $library at run time"; code=1 ;;
    esac
  done
done
for program in minke-monitor minke-netd; do
  for library in $(needed "$BIN/$program"); do
    echo "$program is not static: it needs $library"
    code=1
  done
done
exit $code
