#!/bin/bash
# COPY --parents, --exclude, --chmod by letters, **, heredocs with variables: what BuildKit has besides.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'podman 4.3 has none of them'
need_image
mkdir -p ctx/src/lib
touch ctx/src/{a.c,a.o} ctx/src/lib/{b.c,b.o} ctx/top.c
chmod -R u=rwX,go=rX ctx
chmod 600 ctx/src/a.c
printf '#!/bin/sh\n' >ctx/src/run
chmod 700 ctx/src/run
cat >ctx/Containerfile <<'E'
FROM localhost/busybox
ARG WHO=world
COPY --parents **/*.c /parents/
COPY --parents src/./lib /pivot/
COPY --exclude=**/*.o src /without
COPY --chmod=u=rwX,go=rX src /modes
COPY **/*.c /flat/
COPY --chmod=755 <<hello <<"plain" /docs/
Hello $WHO
hello
$WHO
plain
RUN cd / && find parents pivot without modes flat docs -type f -exec stat -c '%n %a' {} + | sort >/list
E
ok minke build --network none -t made ctx
ok run made cat /list /docs/hello /docs/plain
assert_eq "$(
  cat <<'E'
docs/hello 755
docs/plain 755
flat/a.c 600
flat/b.c 644
flat/top.c 644
modes/a.c 644
modes/a.o 644
modes/lib/b.c 644
modes/lib/b.o 644
modes/run 755
parents/src/a.c 600
parents/src/lib/b.c 644
parents/top.c 644
pivot/lib/b.c 644
pivot/lib/b.o 644
without/a.c 600
without/lib/b.c 644
without/run 700
Hello world
$WHO
E
)" "$out"
