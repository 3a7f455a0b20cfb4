#!/bin/bash
# process.selinuxLabel is the label of the program, of what is executed beside it and of its keys; linux.mountLabel that of
# what is mounted for it. An unknown label is refused in one line. (In the lab: tests/lab/vm-tests --selinux.)
# needs: root
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-runtime.sh"
[ -e /sys/fs/selinux/enforce ] || skip 'no SELinux here'
grep -q ':' /proc/self/attr/current || skip 'SELinux has no policy loaded'
# a type that Debian's policy has, and the level as container engines give it
label=system_u:system_r:unconfined_t:s0:c1,c2 files=system_u:object_r:tmpfs_t:s0:c1,c2
grep -qw 1 /sys/fs/selinux/mls || { label=${label%:c1,c2}; label=${label%:s0}; files=${files%:c1,c2}; files=${files%:s0}; }

bundle b ".process.args = [\"cat\", \"/proc/self/attr/current\"] | .process.selinuxLabel = \"$label\""
ok rt run --bundle "$T/b" c </dev/null
assert_eq "$label" "$out"

bundle d ".process.args = [\"sleep\", \"1000\"] | .process.selinuxLabel = \"$label\" | .linux.mountLabel = \"$files\"
  | .mounts += [{\"destination\": \"/t\", \"type\": \"tmpfs\", \"source\": \"tmpfs\"}]"
ok rt run -d --bundle "$T/d" d </dev/null
ok rt exec d cat /proc/self/attr/current
assert_eq "$label" "$out"
ok rt exec d grep ' /t ' /proc/self/mounts
assert_match "context=\"?$files" "$out"
rt delete -f d

bundle e '.process.args = ["true"] | .process.selinuxLabel = "nobody:has:this_t:s0"'
assert_error 1 'label' rt run --bundle "$T/e" e
