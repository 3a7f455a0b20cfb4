#!/bin/bash
# fish completes commands, options, values and names.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'another program writes its own'
need_program fish
need_image
export HOME=$T PATH=$BIN:$PATH
unset XDG_CONFIG_HOME XDG_DATA_HOME
minke create --name alpha "$IMG" true >/dev/null
minke create --name alps "$IMG" true >/dev/null
ok minke completion fish
cp "$T/.out" "$T/minke.fish"
candidates() { # LINE
  fish --no-config -c "source $T/minke.fish; complete -C 'minke ${engine_options[*]} $1'" 2>/dev/null | cut -f1 | sort | tr '\n' ' '
}
assert_eq 'alpha alps ' "$(candidates 'rm al')"
assert_eq 'exec exists export ' "$(candidates 'container ex')"
assert_eq 'journald json-file ' "$(candidates 'run --log-driver j')"
assert_match -- '--log-driver --log-opt' "$(candidates 'run --log-')"
