#!/bin/bash
# -w must exist; the image's working directory is made when it is missing.
. "$(dirname "$0")/../../lib.sh"
busybox_image i.tar localhost/w:latest '{"Env":["PATH=/bin"],"WorkingDir":"/made/new","Cmd":["pwd"]}'
ok minke load -q -i i.tar

ok run localhost/w:latest
assert_eq /made/new "$out"
ok run -w /var/data localhost/w:latest
assert_eq /var/data "$out"
expect_exit 126 run -w /no/such localhost/w:latest
assert_match 'workdir "/no/such" does not exist' "$err"
