#!/bin/bash
# --ssh gives an agent to the steps that ask for it, whoever they run as: the user's, or one of ours with the keys that are named.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_program ssh-agent
need_image
eval "$(ssh-agent -a "$T/agent")" >/dev/null
trap 'code=$?; set +e; kill $SSH_AGENT_PID; (exit $code); cleanup' EXIT
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

# another user than the agent's own asks it, with the ssh-add of this machine
ssh-keygen -q -t ed25519 -N '' -f one
ssh-keygen -q -t ed25519 -N '' -f two
ssh-keygen -q -t ed25519 -N secret -f locked
cat >ask <<'E'
FROM localhost/busybox
USER 1234
RUN --mount=type=ssh,uid=1234,mode=0640 ls -ln "$SSH_AUTH_SOCK" | grep -q '^srw-r----- .* 1234 ' && ssh-add -l >/tmp/keys && test "$(wc -l </tmp/keys)" = 2
RUN --mount=type=ssh ! ssh-add -l
E
host=(-v /usr:/usr:ro -v /usr/lib:/lib:ro)
[ ! -d /usr/lib64 ] || host+=(-v /usr/lib64:/lib64:ro)
ok minke build --network none "${host[@]}" --ssh default="$T/one,$T/two" -f ask ctx
assert_error 125 'locked: ssh-add does not take it' minke build --network none --ssh default=locked -f C ctx
echo nonsense >key
chmod 600 key
assert_error 125 'key: ssh-add does not take it' minke build --network none --ssh default=key -f C ctx
assert_error 125 'one socket, or files of keys' minke build --network none --ssh "default=$T/agent,$T/one" -f C ctx
mkdir bin
assert_error 125 'needs? ssh-agent of the host' env PATH="$T/bin" "$MINKE" "${engine_options[@]}" build --ssh default=one -f C ctx
assert_eq '' "$(ls -A "$T/u/builds")"
[ "$(pgrep -fc "ssh-agent -D -a $T")" = 0 ] || fail 'an agent is left'
