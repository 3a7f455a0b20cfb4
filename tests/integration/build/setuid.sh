#!/bin/bash
# COPY from the context takes no setuid and no setgid along, as Podman; --chmod, archives, stages and named contexts do.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
mkdir -p ctx/dir other packed
for file in ctx/suid ctx/dir/sgid other/suid packed/suid; do echo x >$file; done
chmod 4755 ctx/suid other/suid packed/suid
chmod 2755 ctx/dir/sgid
mkdir ctx/dir/sub
chmod 3777 ctx/dir/sub
tar -C packed -cf ctx/packed.tar suid
cat >C <<'E'
FROM localhost/busybox AS from
RUN echo x >/x && chmod 6755 /x
FROM localhost/busybox
COPY suid dir /a/
COPY --chmod=4711 suid /b/
COPY --from=from /x /c/
COPY --from=other suid /d/
ADD packed.tar /e/
E
ok minke build -q --network none --build-context other=other -t made -f C ctx
ok run made stat -c '%a %n' /a/suid /a/sgid /a/sub /b/suid /c/x /d/suid /e/suid
assert_eq $'755 /a/suid\n755 /a/sgid\n1777 /a/sub\n4711 /b/suid\n6755 /c/x\n4755 /d/suid\n4755 /e/suid' "$out"
