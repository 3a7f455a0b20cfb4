#!/bin/bash
# --seccomp-policy image takes the profile of the image's label, and nothing else does.
. "$(dirname "$0")/../../lib.sh"
need_image

profile='{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}'
config=$(jq -nc --arg p "$profile" '{Cmd: ["sh", "-c", "mkdir /d && echo made"], Labels: {"io.containers.seccomp.profile": $p}}')
busybox_image own.tar localhost/own "$config"
ok minke load -q -i own.tar
ok run localhost/own
assert_eq made "$out"
expect_exit 1 minke run --rm --network none --seccomp-policy image localhost/own
assert_match 'Operation not permitted' "$err"
assert_error 125 'no seccomp policy defined by image' minke create --seccomp-policy image "$IMG"
assert_error 125 'polic' minke create --seccomp-policy other "$IMG"
