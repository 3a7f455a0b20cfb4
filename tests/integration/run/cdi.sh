#!/bin/bash
# --device VENDOR/CLASS=NAME brings what its maker's description in JSON says.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'Podman 4.3 reads /etc/cdi only'
need_image
mkdir cdi data
echo content >data/file
cat >cdi/acme.json <<JSON
{"cdiVersion": "0.5.0", "kind": "acme.test/thing",
 "devices": [
  {"name": "one", "containerEdits": {"env": ["ONE=1"], "deviceNodes": [{"path": "/dev/acme0", "hostPath": "/dev/null"}]}},
  {"name": "two", "containerEdits": {"env": ["TWO=2"]}}],
 "containerEdits": {"env": ["COMMON=c"], "mounts": [{"hostPath": "$T/data", "containerPath": "/acme", "options": ["ro", "nosuid"]}]}}
JSON
with=(minke --cdi-spec-dir "$T/cdi" run --rm --network none)
ok "${with[@]}" --device acme.test/thing=one "$IMG" sh -c 'echo $ONE-$TWO-$COMMON; cat /acme/file; test -c /dev/acme0 && echo x >/dev/acme0'
assert_eq $'1--c\ncontent' "$out"
ok "${with[@]}" --device acme.test/thing=one --device acme.test/thing=two "$IMG" sh -c 'echo $ONE-$TWO; grep -c " /acme " /proc/mounts'
assert_eq $'1-2\n1' "$out"
expect_exit 1 "${with[@]}" --device acme.test/thing=one "$IMG" touch /acme/new
assert_error 125 'unresolvable CDI devices acme.test/thing=three' "${with[@]}" --device acme.test/thing=three "$IMG" true
assert_error 125 'unresolvable CDI devices nvidia.com/gpu=all' "${with[@]}" --gpus all "$IMG" true
echo '{"kind": 1' >cdi/broken.json
ok "${with[@]}" --device acme.test/thing=two "$IMG" true
assert_match 'broken.json' "$err" warning
