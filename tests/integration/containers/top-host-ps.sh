#!/bin/bash
# Other words of top are for the host's ps(1): the container's own ps is never run.
. "$(dirname "$0")/../../lib.sh"
need_image
need_program ps
start --name c "$IMG" sh -c 'mkdir -p /tmp/x; printf "#!/bin/sh\necho trap\n" >/tmp/x/ps; chmod +x /tmp/x/ps; cp /tmp/x/ps /bin/ps2; rm -f /bin/ps; mv /bin/ps2 /bin/ps; exec sleep 1000' >/dev/null
within 20 eval 'minke top c comm | grep -q sleep'
ok minke top c -eo pid,comm
assert_match '1 sleep' "$out"
assert_no_match trap "$out"
assert_error 125 'ps\(1\) failed with exit code 1' minke top c --no-such-option
start --name traced --cap-add SYS_PTRACE "$IMG" sleep 1000 >/dev/null
assert_error 125 'not run beside a container with CAP_SYS_PTRACE' minke top traced aux
ok minke top traced pid
