#!/bin/bash
# Every instruction that only changes the configuration does so, and makes no layer.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
before=$(minke image inspect "$IMG" | jq '.[0].RootFS.Layers | length')
build -t made <<'E'
FROM localhost/busybox
ARG WHO=world
ENV A=1 B="two words" C=$WHO
LABEL a.b=c d="e f"
EXPOSE 80 53/udp 9000-9001
VOLUME /data /more
USER 12:34
STOPSIGNAL SIGUSR1
SHELL ["/bin/sh", "-ec"]
ENTRYPOINT ["/bin/echo", "$A"]
CMD echo hello
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --start-interval=1s --retries=7 CMD test -e /ok
ONBUILD RUN touch /triggered
MAINTAINER somebody
E
[[ $(config made .Env) = *'"A=1","B=two words","C=world"]' ]]
assert_eq '{"a.b":"c","d":"e f"}' "$(minke image inspect made | jq -c '.[0].Config.Labels | {"a.b", d}')"
assert_eq '["53/udp","80/tcp","9000/tcp","9001/tcp"]' "$(config made '.ExposedPorts | keys')"
assert_eq 12:34 "$(config made .User)"
assert_eq SIGUSR1 "$(config made .StopSignal)"
assert_eq '["/bin/echo","$A"]' "$(config made .Entrypoint)"
assert_eq '["/bin/sh","-ec","echo hello"]' "$(config made .Cmd)"
assert_eq '["RUN touch /triggered"]' "$(config made .OnBuild)"
assert_eq "$before" "$(minke image inspect made | jq '.[0].RootFS.Layers | length')"
assert_eq somebody "$(minke image inspect made | jq -r '.[0].Author')"
