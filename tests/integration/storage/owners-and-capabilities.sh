#!/bin/bash
# Owners, xattrs and file capabilities of a layer are kept.
# needs: root
. "$(dirname "$0")/../../lib.sh"
need_program setcap
mkdir -p l/d
cp "$PROBE" l/d/probe; chown 1000:2000 l/d/probe; setcap cap_net_bind_service+ep l/d/probe; mknod l/d/null c 1 3
busybox_image i.tar localhost/own:latest '{"Env":["PATH=/bin"]}'
mkdir add; tar -C add -xf i.tar
tar -C l --xattrs --xattrs-include='*' -cf layer .
d=$(sha256sum layer | cut -d' ' -f1); mv layer "add/$d.tar"
config=$(jq -r '.[0].Config' add/manifest.json)
jq -c ".rootfs.diff_ids += [\"sha256:$d\"]" "add/$config" >add/config.json; rm "add/$config"
jq -c ".[0].Layers += [\"$d.tar\"] | .[0].Config = \"config.json\"" add/manifest.json >m; mv m add/manifest.json
tar -C add -cf i.tar .
ok minke load -q -i i.tar

ok run localhost/own:latest stat -c '%u:%g %F' /d/probe /d/null
assert_eq $'1000:2000 regular file\n0:0 character special file' "$out"
ok run -u app localhost/own:latest /d/probe report security
assert_eq 0000000000000400 "$(field "$out" .caps.CapEff)"
