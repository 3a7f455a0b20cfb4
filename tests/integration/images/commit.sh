#!/bin/bash
# commit makes an image of what changed: whiteouts, opaque folders, owners; it runs, and skopeo reads it.
. "$(dirname "$0")/../../lib.sh"
need_image
start --name c "$IMG" sleep 1000 >/dev/null
ok minke exec c sh -c 'mkdir /d; echo hi >/d/f; ln /d/f /d/hard; ln -s f /d/soft; chown 7:8 /d/f; chmod 4750 /d/f
  rm /bin/vi; rm -rf /var; mkdir /var; echo new >/var/n; mkfifo /d/p'
ok minke commit -q c made
id=$out
ok run made sh -c 'cat /d/hard; stat -c "%u:%g %a %h" /d/f; readlink /d/soft; ls /var; ls /bin/vi 2>&1; test -p /d/p && echo pipe'
assert_eq 'hi
7:8 4750 2
f
n
ls: /bin/vi: No such file or directory
pipe' "$out"
ok minke diff made
assert_match 'D /bin/vi' "$out"
assert_match $'D /var\nA /var/n' "$out"
assert_eq "$id" "$(minke images -q --no-trunc made | cut -d: -f2)"
need_program skopeo
is_podman && exit 0
inspect=(skopeo inspect --raw --tmpdir /tmp)
ok "${inspect[@]}" "oci:$T/r/images:localhost/made:latest"
assert_eq application/vnd.oci.image.manifest.v1+json "$(field "$out" .mediaType)"
ok minke commit -q -f docker c dock
ok minke inspect --format '{{.ManifestType}}' dock
assert_eq application/vnd.docker.distribution.manifest.v2+json "$out"
# tagging writes the index anew
ok minke tag dock dock2
ok minke inspect --format '{{.ManifestType}}' dock2
assert_eq application/vnd.docker.distribution.manifest.v2+json "$out"
ok "${inspect[@]}" "oci:$T/r/images:localhost/dock2:latest"
mkdir copy
ok skopeo --tmpdir /tmp copy --insecure-policy "oci:$T/r/images:localhost/made:latest" "dir:$T/copy"
