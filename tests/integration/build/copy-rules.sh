#!/bin/bash
# Where COPY puts what: folders, several sources, patterns, links of the context and of the image, owners.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
mkdir -p ctx/d
echo a >ctx/a
echo b >ctx/b
echo x >ctx/d/x
chmod 644 ctx/a ctx/b ctx/d/x
chmod 700 ctx/d
ln -s a ctx/la
ln -s d ctx/ld
cat >ctx/Containerfile <<'E'
FROM localhost/busybox
RUN mkdir /real && ln -s /real /link && touch /real/target && ln -s ../../../real/target /filelink && echo 'me:x:12:34::/:/bin/sh' >>/etc/passwd && mkdir -m 711 /has
WORKDIR /work
COPY a b sub
COPY d /new
COPY d/* /one
COPY a nothing* /some/
COPY la ld /links/
COPY a /link/
COPY b /filelink
COPY d /has
COPY --chown=me a /me
COPY --chown=7 a /seven
COPY --chown=7:root a /rooted
E
ok minke build --network none -t made ctx
ok run made sh -c 'find /work/sub /new /one /some /links /real /has /me /seven /rooted -exec stat -c "%n %a %u:%g" {} + | sort'
assert_eq "$(
  sort <<'E'
/work/sub 755 0:0
/work/sub/a 644 0:0
/work/sub/b 644 0:0
/new 755 0:0
/new/x 644 0:0
/one 644 0:0
/some 755 0:0
/some/a 644 0:0
/links 755 0:0
/links/la 644 0:0
/links/x 644 0:0
/real 755 0:0
/real/a 644 0:0
/real/target 644 0:0
/has 711 0:0
/has/x 644 0:0
/me 644 12:34
/seven 644 7:7
/rooted 644 7:0
E
)" "$out"
for line in 'COPY gone /x' 'COPY nothing* /x' 'COPY a /one/'; do
  printf 'FROM localhost/made\n%s\n' "$line" >C
  expect_exit 125 minke build --network none -f C ctx
done
