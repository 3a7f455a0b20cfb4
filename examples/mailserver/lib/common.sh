# shellcheck shell=bash
# shellcheck disable=SC2034 # for those who read this file
# Where things are, messages, and the settings that were made from the environment.

CONFIG=/tmp/docker-mailserver STATE=/var/mail-state LOGS=/var/log/mail
RUN=/run/mailserver
SETTINGS=$RUN/settings

declare -A level_number=([error]=0 [warn]=1 [info]=2 [debug]=3 [trace]=4)
log() { # LEVEL TEXT
  [ "${level_number[$1]}" -le "${level_number[${LOG_LEVEL:-info}]:-2}" ] || return 0
  printf '[ %7s ]  %s\n' "${1^^}" "$2" >&2
}
die() {
  log error "$*"
  exit 1
}

# The lines of a file that say something.
lines_of() {
  [ -f "$1" ] || return 0
  sed -e 's/\r$//' -e '/^[[:space:]]*\(#\|$\)/d' "$1"
}

# One file, whole or not at all; a file that is a mount of its own can only be written in place.
replace_file() { # FILE, the new text on standard input
  local new
  mkdir -p "$(dirname "$1")"
  new=$(mktemp "$1.XXXXXX")
  cat >"$new"
  chmod --reference="$1" "$new" 2>/dev/null || chmod 644 "$new"
  mv -fT "$new" "$1" 2>/dev/null && return
  cat "$new" >"$1"
  rm -f "$new"
}

# One at a time: setup, the watcher of changes, and the start.
with_lock() {
  mkdir -p "$RUN"
  (
    flock -w 60 9 || die "another change is still at work ($RUN/lock)"
    "$@"
  ) 9>"$RUN/lock"
}

is_on() { [ "${!1:-0}" = 1 ]; }
