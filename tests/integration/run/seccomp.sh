#!/bin/bash
# The default profile is on and answers ENOSYS (38) or EPERM (1) as Podman's does; unconfined turns
# it off.
. "$(dirname "$0")/../../lib.sh"
need_image

probe security --
assert_eq 2 "$(field "$out" .seccomp)"
ok run "$IMG" probe calls bpf kexec_load af_inet no_such_call
assert_eq '{"bpf":1,"kexec_load":1,"af_inet":0,"no_such_call":38}' "$(jq -c '{bpf,kexec_load,af_inet,no_such_call}' <<<"$out")"
probe security -- --security-opt seccomp=unconfined
assert_eq 0 "$(field "$out" .seccomp)"
