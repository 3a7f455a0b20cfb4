#!/bin/bash
# Later files win over earlier ones: the user's, his drop-ins, modules, CONTAINERS_CONF_OVERRIDE.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'podman 4.3 knows no modules'
need_image
unset CONTAINERS_CONF CONTAINERS_CONF_OVERRIDE
export XDG_CONFIG_HOME=$T/config
conf() { mkdir -p "$(dirname "$T/config/containers/$1")" && printf '[containers]\nenv=["WHO=%s"%s]\n' "$2" "${3:-}" >"$T/config/containers/$1"; }
who() { ok run "$@" "$IMG" sh -c 'echo $WHO$MORE' && assert_eq "$want" "$out"; }
want='' who
conf containers.conf user
want=user who
conf containers.conf.d/b.conf b
conf containers.conf.d/a.conf a
want=b who
conf containers.conf.modules/m.conf module
mrun() { minke --module m.conf run --rm --network none "$@"; }
ok mrun "$IMG" sh -c 'echo $WHO'
assert_eq module "$out"
printf '[containers]\nenv=["MORE=+",{append=true}]\n' >"$T/over"
CONTAINERS_CONF_OVERRIDE=$T/over want=b+ who
want=option who -e WHO=option
expect_exit 125 minke --module nosuch run --rm "$IMG" true
assert_match 'module nosuch: not found in' "$err"
