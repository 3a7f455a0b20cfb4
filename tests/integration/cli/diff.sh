#!/bin/bash
# diff of containers and images, alone and between two; as JSON.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c "$IMG" sleep 1000 >/dev/null
ok minke exec c sh -c 'mkdir -p /d/e; echo hi >/d/f; ln -s /d /l; rm /bin/vi; mkdir /etc/y; rm -rf /var; mkdir /var; touch /var/n'
want='C /bin
D /bin/vi
A /d
A /d/e
A /d/f
C /etc
A /etc/y
A /l
D /var
A /var/n'
ok minke diff c
assert_eq "$want" "$out"
ok minke container diff -l
assert_eq "$want" "$out"
ok minke diff --format json c
assert_eq '["/bin","/etc"] ["/bin/vi","/var"]' "$(jq -rc '"\(.changed) \(.deleted)"' <<<"$out")"
minke commit -q c img >/dev/null
ok minke image diff img
assert_eq "$want" "$out"
ok minke diff c "$IMG"
assert_match 'C /bin
D /bin/vi
A /d' "$out"
ok minke image diff "$IMG" img
assert_match 'A /bin/vi' "$out"
assert_match 'D /d' "$out"
assert_error 125 'nosuch not found: layer not known' minke diff nosuch
assert_error 125 "only supported value for '--format' is 'json'" minke diff --format foo c
