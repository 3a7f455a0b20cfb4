#!/bin/bash
# --ssh gives an agent's socket to the steps that ask for it; keys and missing agents are named.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_program ssh-agent
need_image
eval "$(ssh-agent -a "$T/agent")" >/dev/null
trap 'kill $SSH_AGENT_PID; cleanup' EXIT
build --ssh default -t made <<'E'
FROM localhost/busybox
RUN --mount=type=ssh test -S "$SSH_AUTH_SOCK" && echo there >/there
RUN --mount=type=ssh,target=/tmp/socket test -S /tmp/socket && test "$SSH_AUTH_SOCK" = /tmp/socket
RUN test -z "$SSH_AUTH_SOCK"
E
ok run made cat /there
is_podman && exit 0
printf 'FROM localhost/busybox\nRUN --mount=type=ssh,required=true true\n' >C
mkdir ctx
assert_error 125 'ssh agent "default" is required' minke build --network none -f C ctx
echo key >key
assert_error 125 'keys are not read' minke build --ssh default=key -f C ctx
