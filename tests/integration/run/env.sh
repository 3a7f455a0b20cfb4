#!/bin/bash
# Environment: the image's, -e, --env-file, names taken from the caller, and what the engine adds.
. "$(dirname "$0")/../../lib.sh"
need_image
printf '# comment\nFILE_A=1\nFILE_B=two words\n\nFROM_CALLER\n' >env

export FROM_CALLER=seen NOT_ASKED=hidden
ok run -e A=1 -e B= -e FROM_CALLER -e UNSET_ONE --env-file env --hostname box "$IMG" env
assert_match $'(^|\n)A=1(\n|$)' "$out"
assert_match $'(^|\n)B=(\n|$)' "$out"
assert_match $'(^|\n)FILE_A=1(\n|$)' "$out"
assert_match $'(^|\n)FILE_B=two words(\n|$)' "$out"
assert_match $'(^|\n)FROM_CALLER=seen(\n|$)' "$out"
assert_match $'(^|\n)PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin(\n|$)' "$out"
assert_match $'(^|\n)HOSTNAME=box(\n|$)' "$out"
assert_match $'(^|\n)HOME=/root(\n|$)' "$out"
assert_match $'(^|\n)container=' "$out"
assert_no_match 'NOT_ASKED|UNSET_ONE' "$out"
