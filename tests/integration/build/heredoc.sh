#!/bin/bash
# Heredocs: a script of the shell, one with its own interpreter, a file.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'podman 4.3 has none'
need_image
build -t made <<'E'
FROM localhost/busybox
RUN <<EOF
set -e
echo one >/one
echo two >/two
EOF
RUN <<EOF
#!/bin/busybox ash
echo "by $0" >/three
EOF
COPY <<EOF /file
content
EOF
E
ok run made sh -c 'cat /one /two /three /file'
assert_match $'^one\ntwo\nby .*\ncontent$' "$out"
