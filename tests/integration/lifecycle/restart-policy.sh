#!/bin/bash
# on-failure:N restarts so many times; always goes on until stopped.
. "$(dirname "$0")/../../lib.sh"
need_image
ok minke run -d --name c --network none --restart on-failure:3 -v "$T:/out" "$IMG" sh -c 'echo run >>/out/runs; exit 1'
within 60 eval '[ "$(wc -l <"$T/runs")" = 4 ] && is_exited c'
assert_eq 3 "$(minke inspect --format '{{.RestartCount}}' c)"

start --name a --restart always "$IMG" sleep 0.5 >/dev/null
within 60 eval '[ "$(minke inspect --format "{{.RestartCount}}" a)" -ge 1 ]'
ok minke stop -t 0 a
sleep 1
assert_eq exited "$(state_of a)"
expect_exit 125 minke run --rm --restart always --network none "$IMG" true
