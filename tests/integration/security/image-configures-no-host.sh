#!/bin/bash
# Annotations and labels of an image change nothing of the isolation.
. "$(dirname "$0")/../../lib.sh"
labels='"io.podman.annotations.privileged":"TRUE","io.podman.annotations.seccomp":"unconfined","run.oci.keep_original_groups":"1","io.container.manager":"x","org.systemd.property.ExecStart":"x"'
busybox_image a.tar localhost/plain:latest '{"Env":["PATH=/bin"]}'
busybox_image b.tar localhost/labelled:latest "{\"Env\":[\"PATH=/bin\"],\"Labels\":{$labels}}"
ok minke load -q -i a.tar
ok minke load -q -i b.tar
cp "$PROBE" probe
view() { minke run --rm --network none --hostname h -v "$T/probe:/probe:ro" "$1" /probe report security limits mounts paths | jq -S '.mounts |= sort_by(.target) | del(.mounts[] | .super, .source, .root)'; }
view localhost/plain:latest >plain
view localhost/labelled:latest >labelled
diff plain labelled
