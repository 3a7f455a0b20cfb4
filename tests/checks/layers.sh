#!/bin/bash
# Modules include only what lies below them.
set -euo pipefail
exec "$(dirname "$0")/../../tools/check-layers"
