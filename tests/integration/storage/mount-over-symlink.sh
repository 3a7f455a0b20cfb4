#!/bin/bash
# A mount whose target is a link of the image lands inside the container, never on the host.
. "$(dirname "$0")/../../lib.sh"
mkdir -p l d
ln -s /var/data l/abs; ln -s ../../../../../../../../../../etc l/up
echo host >d/f
busybox_image i.tar localhost/links:latest '{"Env":["PATH=/bin"]}' l
ok minke load -q -i i.tar

ok run -v "$T/d:/abs" localhost/links:latest cat /var/data/f
assert_eq host "$out"
ok run -v "$T/d:/up/made-by-minke-test" localhost/links:latest cat /etc/made-by-minke-test/f
assert_eq host "$out"
[ ! -e /etc/made-by-minke-test ] || fail 'made on the host'
