#!/bin/bash
# save and load: docker-archive and oci-archive keep the image's id, and it runs.
. "$(dirname "$0")/../../lib.sh"
need_image
id=$(minke image inspect --format '{{.Id}}' "$IMG")

for format in docker-archive oci-archive; do
  ok minke save -q --format $format -o "$format.tar" "$IMG"
  minke rmi "$IMG" >/dev/null
  ok minke load -q -i "$format.tar"
  if [ $format = docker-archive ]; then
    assert_eq "$id" "$(minke image inspect --format '{{.Id}}' "$IMG")" $format
  fi
  ok run "$IMG" echo works
  assert_eq works "$out"
done
expect_exit 125 minke save -q -o x.tar localhost/no-such:latest
