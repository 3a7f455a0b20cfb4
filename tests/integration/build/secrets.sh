#!/bin/bash
# Secrets are there for the step alone: as a file, as a variable; never in the image, and in no file of the engine.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
echo hidden-file-content >secret
export FROM_ENV=hidden-env-content
build --secret id=one,src=secret --secret id=two,env=FROM_ENV -t made <<'E'
FROM localhost/busybox
RUN --mount=type=secret,id=one cat /run/secrets/one | wc -c >/a && stat -c %a:%u /run/secrets/one >>/a
RUN --mount=type=secret,id=two,target=/x,mode=0444,uid=3 stat -c %a:%u /x >/b && cat /x | wc -c >>/b
RUN --mount=type=secret,id=none test ! -e /run/secrets/none
E
ok run made cat /a /b
assert_eq '20 400:0 444:3 18' "$(xargs <<<"$out")"
ok run made sh -c 'ls /x /run/secrets/one 2>/dev/null || true'
assert_eq '' "$out"
is_podman && exit 0
build --secret id=two,env=FROM_ENV -t made <<'E'
FROM localhost/busybox
RUN --mount=type=secret,id=two,env=TOKEN test ${#TOKEN} = 18 && test ! -e /run/secrets/two
E
assert_eq '' "$(grep -rl hidden- "$T/r" "$T/u" || true)" 'files that hold a secret'
printf 'FROM localhost/busybox\nRUN --mount=type=secret,id=must,required=true true\n' >C
mkdir ctx
assert_error 125 'secret "must" is required' minke build --network none -f C ctx
