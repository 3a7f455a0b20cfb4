#!/bin/bash
# rmi: -a, -i, -f with containers and several names, --no-prune, several at once with a wrong one among them.
. "$(dirname "$0")/../../lib.sh"
need_image
id=$(minke image inspect --format '{{.Id}}' "$IMG")

expect_exit 1 minke rmi localhost/nosuch:1
assert_match 'nosuch.*image not known' "$err"
ok minke rmi -i localhost/nosuch:1
assert_eq '' "$out$err"
ok minke rmi --ignore --force localhost/nosuch:1
# a wrong name does not keep the right ones
ok minke tag "$IMG" localhost/b:1
expect_exit 1 minke rmi localhost/nosuch:1 localhost/b:1
assert_match 'Untagged: localhost/b:1' "$out"
# by id with several names only by force
ok minke tag "$IMG" localhost/b:1
expect_exit 125 minke rmi "${id:0:12}"
assert_match 'more than one tag|must be forced|force' "$err"
ok minke rmi -f "${id:0:12}"
assert_match 'Untagged: localhost/b:1' "$out"
assert_match "Deleted: $id" "$out"
ok minke images -q
assert_eq '' "$out"

# an image on top of another: the one below stays while it is named
need_image
ok minke create --name c --network none "$IMG" true
ok minke commit -q c middle
ok minke create --name d --network none middle true
ok minke commit -q d top
ok minke rm c d
ok minke untag middle localhost/middle:latest
ok minke images -aq
assert_eq 3 "$(wc -l <<<"$out")" 'images, the nameless one too'
ok minke rmi --no-prune top
ok minke images -aq
assert_eq 2 "$(wc -l <<<"$out")" 'the nameless parent stays'
ok minke create --name c --network none "$IMG" true
expect_exit 2 minke rmi -a
ok minke container exists c
ok minke rmi -fa
ok minke images -aq
assert_eq '' "$out"
expect_exit 1 minke container exists c
ok minke rmi -a
assert_eq '' "$out"
expect_exit 125 minke rmi
assert_match 'image name or ID must be specified' "$err"
expect_exit 125 minke rmi -a something
