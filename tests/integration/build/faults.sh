#!/bin/bash
# A fault in a Containerfile is one line that says where, what and how to mend it; nothing is built.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'other words'
mkdir ctx
fault() {
  printf '%b' "$1" >ctx/Containerfile
  expect_exit 125 minke build --network none ctx
  assert_eq "Error: Containerfile:$2" "$(tail -n 1 <<<"$err")"
  assert_eq '' "$out"
}
fault '' ' no FROM (a Containerfile begins with FROM IMAGE or FROM scratch)'
fault 'RUN x\n' '1: RUN before the first FROM (only ARG can stand there)'
fault 'FROM scratch\n\nCPOY a b\n' '3: unknown instruction CPOY (did you mean COPY?)'
fault 'FROM scratch\nCOPY --chwon=1 a b\n' '2: unknown flag --chwon of COPY (did you mean chown?)'
fault 'FROM scratch\nRUN --mount=type=cash,target=/x y\n' '2: --mount=type=cash,target=/x: type=cash: no such type of mount (bind, cache, tmpfs, secret, ssh) (did you mean cache?)'
fault 'FROM scratch\nCOPY <<EOF /x\nnever ended\n' '2: the heredoc <<EOF never ends (add a line that is only EOF)'
fault 'FROM $NOTHING\n' '1: $NOTHING is empty (give the ARG before the first FROM a value, or --build-arg)'
fault 'FROM scratch AS a\nCOPY --from=b / /\nFROM scratch AS b\nCOPY --from=a / /\n' '2: stage "b" needs itself'
fault 'ARG X="${Y:?say what}"\nFROM scratch\n' '1: cannot expand "\"${Y:?say what}\"": Y: say what'
