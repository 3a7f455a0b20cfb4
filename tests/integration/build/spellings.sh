#!/bin/bash
# The other names of build; --from; a context that is an image; several names.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
mkdir ctx
printf 'FROM nosuch/image\nCOPY --from=other /bin/busybox /copied\n' >ctx/Containerfile
ids=''
for words in build 'image build' 'buildx build' 'builder build'; do
  # shellcheck disable=SC2086
  ids+="$(minke $words -q --from localhost/busybox --build-context other=docker-image://localhost/busybox -t a -t b:1 ctx | tail -n 1) "
done
assert_eq 1 "$(xargs -n1 <<<"$ids" | sort -u | wc -l)"
ok run b:1 test -x /copied
is_podman && exit 0
ok minke builder version
ok minke buildx inspect
for option in --all-platforms --squash-nothing; do expect_exit 125 minke build $option ctx; done
assert_error 125 'sbom' minke build --sbom x ctx
