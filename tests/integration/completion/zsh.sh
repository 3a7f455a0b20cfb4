#!/bin/bash
# zsh completes names of what exists, typed at a prompt with the tab key.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'another program writes its own'
need_program zsh
need_image
minke create --name alpha "$IMG" true >/dev/null
minke create --name alps "$IMG" true >/dev/null
mkdir "$T/functions"
ok minke completion zsh
cp "$T/.out" "$T/functions/_minke"
zsh -n "$T/functions/_minke"
{ printf 'PS1=; fpath=(%s/functions $fpath); autoload -U compinit; compinit -u -D; echo ready >%s/ready\n' "$T" "$T"
  within 60 eval '[ -e "$T/ready" ]'
  printf 'minke %s rm alph\t; echo done >%s/typed\n' "${engine_options[*]}" "$T"
  within 60 eval '[ -e "$T/typed" ]'
  printf 'exit\n'
} | PATH=$BIN:$PATH "$PTY" 24x200 zsh -f -i >"$T/screen" 2>&1 || true
expect_exit 1 minke container exists alpha
ok minke container exists alps
