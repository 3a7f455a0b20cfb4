#!/bin/bash
# The same Containerfiles give podman and us the same configuration and the same files.
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'it would be compared with itself'
need_program podman
need_image
printf '[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=20000:20000"]\n' >containers.conf
peer() {
  CONTAINERS_CONF=$T/containers.conf podman --root "$T/pr" --runroot "$T/pu" --tmpdir "$T/pm" --cgroup-manager cgroupfs \
    --storage-driver vfs --events-backend file --log-level error "$@"
}
peer load -q -i "$IMAGES/busybox.tar" >/dev/null 2>podman.err || skip "podman does not work here: $(tail -n 1 podman.err)"
mkdir -p ctx/dir/sub
echo one >ctx/dir/one
echo two >ctx/dir/sub/two
ln -s one ctx/dir/link
chmod 750 ctx/dir/sub
echo script >ctx/script
chmod 755 ctx/script
printf 'skipped\n' >ctx/skipped
printf 'skip*\n' >ctx/.dockerignore
cat >file1 <<'E'
FROM localhost/busybox
COPY dir /a
COPY dir /b/
COPY dir/one script /c/
COPY --chown=5:6 . /all
ADD dir/sub /added
WORKDIR /w
COPY script .
RUN cp script copy && chmod 600 copy && mkdir -p d/e && ln -s /a link
E
cat >file2 <<'E'
ARG TAG=latest
FROM localhost/busybox:${TAG} AS one
ARG NAME=x
ENV A=$NAME B="${A:-unset} b" C=${NAME:+yes}
RUN echo "$A $B $C" >/env
USER 1000:1000
ENTRYPOINT ["/bin/echo"]
CMD ["a", "b"]
FROM one
LABEL k=v "two words"="x y"
EXPOSE 80 443/tcp
VOLUME /v
STOPSIGNAL SIGINT
USER root
COPY --from=one /env /copied
RUN rm /env && echo again >/again
CMD echo shell
E
cat >file3 <<'E'
FROM localhost/busybox
SHELL ["/bin/sh", "-ec"]
RUN mkdir /x && touch /x/a /x/b && rm -r /home
RUN rm /x/a; echo c >/x/c
HEALTHCHECK --interval=7s CMD ["true"]
ONBUILD RUN true
ENV PATH=/x:$PATH
E
settings() { minke image inspect "$1" | jq -S '.[0].Config | del(.Labels["io.buildah.version"]) | with_entries(select(.value | length > 0))'; }
for file in file1 file2 file3; do
  minke build -q --format docker --network none -t "localhost/ours:$file" -f "$file" ctx >/dev/null
  peer build -q --format docker --network none -t "localhost/theirs:$file" -f "$file" ctx >/dev/null
  peer save -q --format docker-archive -o "$file.tar" "localhost/theirs:$file"
  minke load -q -i "$file.tar" >/dev/null
  assert_eq "$(settings "theirs:$file")" "$(settings "ours:$file")" "configuration of $file"
  assert_eq "$(tree "theirs:$file")" "$(tree "ours:$file")" "files of $file"
done
