#!/bin/bash
# What is not there yet is refused by its name, never ignored.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'podman has these'
need_image
for option in '--link-local-ip 169.254.9.9' '--pod-id-file x' '--pod x'; do
  # shellcheck disable=SC2086 # an option and its value
  expect_exit 125 minke run --rm $option "$IMG" true
  assert_match "${option%% *}|${option#* }" "$err"
done
