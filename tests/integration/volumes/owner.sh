#!/bin/bash
# A new volume takes owner and mode of the folder that it covers.
. "$(dirname "$0")/../../lib.sh"
mkdir -p l/owned; chmod 2750 l/owned
busybox_image i.tar localhost/o:latest '{"Env":["PATH=/bin"],"Volumes":{"/owned":{}}}' l
ok minke load -q -i i.tar

ok run localhost/o:latest stat -c '%a' /owned
assert_eq 2750 "$out"
ok run -v n:/owned localhost/o:latest stat -c '%a' /owned
assert_eq 2750 "$out"
