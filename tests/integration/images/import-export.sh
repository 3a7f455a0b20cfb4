#!/bin/bash
# export makes a tar of the root, import an image of that, with --change.
. "$(dirname "$0")/../../lib.sh"
need_image
ok minke run --name c --network none "$IMG" sh -c 'echo more >/etc/more'
ok minke export -o root.tar c

ok minke import -q --change 'CMD ["cat","/etc/more"]' --change 'ENV A=b' --change 'ENV PATH=/bin' -m note root.tar localhost/imported:1
ok run localhost/imported:1
assert_eq more "$out"
ok run localhost/imported:1 sh -c 'echo $A'
assert_eq b "$out"
ok sh -c "'$MINKE' ${engine_options[*]} import -q - localhost/piped:latest <root.tar"
ok run localhost/piped:latest /bin/cat /etc/more
assert_eq more "$out"
