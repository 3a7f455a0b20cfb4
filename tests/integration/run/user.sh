#!/bin/bash
# -u by name, number and group; supplementary groups from the image's files.
. "$(dirname "$0")/../../lib.sh"
need_image

ok run -u app "$IMG" id
assert_match '^uid=1000\(app\) gid=1000\(app\) groups=' "$out"
ok run -u app "$IMG" id -G
assert_eq '10 1000 2000' "$(tr ' ' '\n' <<<"$out" | sort -n | paste -sd' ')"
ok run -u 1000:10 "$IMG" id -G
assert_eq 10 "$out"
ok run -u 4321 "$IMG" sh -c 'echo $(id -u):$(id -g) $HOME'
assert_eq '4321:0 /' "$out"
ok run -u app "$IMG" sh -c 'echo $HOME'
assert_eq /home/app "$out"
ok run -u app --group-add 77 --group-add extra "$IMG" id -G
assert_match '(^| )77( |$)' "$out"
