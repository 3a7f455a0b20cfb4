#!/bin/bash
# Exit codes of an exec that cannot be, as Podman has them: 255 without a session, 126 and 127 of the command, 125 of the command line.
. "$(dirname "$0")/../../lib.sh"
need_image
ok minke create --name s --network none "$IMG" true
assert_error 255 'container state improper' minke exec s true
ok minke run -d --name c --network none "$IMG" sleep 1000
assert_error 255 'unable to find user nosuch: no matching entries in passwd file' minke exec -u nosuch c true
assert_error 127 'working directory /nosuch: No such file or directory' minke exec -w /nosuch c true
assert_error 126 'working directory .*: Not a directory' minke exec -w /bin/busybox c true
assert_error 127 'not found in \$PATH' minke exec c nosuch
assert_error 126 'Permission denied' minke exec c /etc/passwd
assert_error 125 'parsing env file' minke exec --env-file /nosuch c true
assert_error 125 'no container with name or ID' minke exec nosuch true
