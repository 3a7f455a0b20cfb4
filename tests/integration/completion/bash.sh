#!/bin/bash
# bash: commands, options, their values and the names of what exists, on a real command line.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'another program writes its own'
need_image
minke create --name alpha "$IMG" true >/dev/null
minke create --name alps "$IMG" true >/dev/null
minke volume create valley >/dev/null
ok minke completion bash
# shellcheck source=/dev/null
source "$T/.out"
compopt() { files=1; } # bash's own knows no completion outside of one
complete_line() {
  files=0 COMP_LINE="$*" COMP_WORDS=("$MINKE" "${engine_options[@]}" "$@")
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
  _minke_complete
  got=$(printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' ')
}
expect() { # WANT WORD... : the candidates for the last word
  local want=$1
  shift
  complete_line "$@"
  assert_eq "$want" "$got" "completion of $*"
}
expect 'exec exists export ' container ex
expect 'alpha alps ' rm al
expect 'alpha alps ' rm --force alpha al
expect 'alpha ' logs --tail 5 alph
expect 'valley ' volume rm va
expect '--log-driver --log-opt ' run --log-
expect 'journald json-file ' run --log-driver j
expect 'alps ' run --volumes-from alps
expect 'alpha alps ' run --pid container: # the shell has what stands before the colon
expect 'debug ' --log-level de
assert_eq 1 "$(complete_line start alp && ((files == 0)) && echo 1)"
complete_line run "$IMG" x
assert_eq 1 "$files" 'file names behind the image'
complete_line run local
assert_match 'localhost/busybox:latest' "$got"
# Bash has split the word at the colon, and gets what stands behind it.
COMP_WORDS=("$MINKE" "${engine_options[@]}" run localhost/busybox : la) COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_minke_complete
assert_eq latest "${COMPREPLY[*]}"

# Typed at a prompt, with the tab key.
{ printf 'PS1=; cd %s; source .out; bind "set bell-style none"\n' "$T"
  printf 'minke %s rm alph\t > /dev/null; echo done >%s/typed\n' "${engine_options[*]}" "$T"
  within 60 eval '[ -e "$T/typed" ]'
  printf 'exit\n'
} | PATH=$BIN:$PATH "$PTY" 24x200 bash --norc -i >"$T/screen" 2>&1 || true
within 30 eval '[ -e "$T/typed" ]'
expect_exit 1 minke container exists alpha
ok minke container exists alps
