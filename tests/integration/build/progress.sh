#!/bin/bash
# Progress: BuildKit's plain lines on standard error, a live view on a terminal, nothing with --quiet, a file with --logfile.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'other words'
need_image
mkdir ctx
printf 'FROM localhost/busybox AS one\nRUN echo said; echo complained >&2; printf unended\nENV A=1\nRUN true\n' >C
ok minke build --network none -t made -f C ctx
assert_match '^#[0-9]+ \[internal\] load build definition' "$err"
assert_match $'\n#[0-9]+ \[one 1/3\] FROM localhost/busybox AS one\n' "$err"
assert_match $'\n#[0-9]+ \[one 2/3\] RUN echo said' "$err"
assert_match $'\n#[0-9]+ [0-9]+\.[0-9]{3} said\n#[0-9]+ [0-9.]+ complained\n#[0-9]+ [0-9.]+ unended\n#[0-9]+ DONE [0-9.]+s\n' "$err"
assert_match $'^Successfully tagged localhost/made:latest\n[0-9a-f]{64}$' "$out"
ok minke build --network none -q -f C ctx
assert_eq '' "$err"
assert_match '^[0-9a-f]{64}$' "$out"
ok minke build --network none --logfile log -f C ctx
assert_eq '' "$err"
assert_match CACHED "$(cat log)"
echo | on_terminal build --no-cache --network none -f C ctx >shown
assert_match '=> \[one 2/3\] RUN echo said' "$(cat shown)"
assert_match '=> exporting to image' "$(cat shown)"
ok minke build --network none --metadata-file meta -t made -f C ctx
assert_eq "sha256:$(minke image inspect --format '{{.Id}}' made)" "$(jq -r '."containerimage.config.digest"' meta)"
assert_eq "$(minke image inspect --format '{{.Digest}}' made)" "$(jq -r '."containerimage.digest"' meta)"
