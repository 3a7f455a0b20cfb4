#!/bin/bash
# Hooks of --hooks-dir run when their conditions hold (oci-hooks(5)).
. "$(dirname "$0")/../../lib.sh"
need_image
mkdir "$T/hooks"
cat >"$T/hook.sh" <<H
#!/bin/sh
cat >/dev/null; echo "\$1" >>"$T/seen"
H
chmod 755 "$T/hook.sh"
touch "$T/seen" && chmod 666 "$T/seen"
hook() { # NAME WHEN STAGE
  echo "{\"version\":\"1.0.0\",\"hook\":{\"path\":\"$T/hook.sh\",\"args\":[\"hook\",\"$1\"]},\"when\":$2,\"stages\":[\"$3\"]}" >"$T/hooks/$1.json"
}
hook always '{"always":true}' createRuntime
hook never '{"always":false}' prestart
hook noted '{"annotations":{"^org.x$":"^y"}}' poststop
hook shell '{"commands":[".*/sh$"]}' prestart
hook bound '{"hasBindMounts":true}' poststart
hooked() { minke --hooks-dir "$T/hooks" run --rm --network none "$@"; }
ok hooked "$IMG" true
within 20 eval '[ -s "$T/seen" ]'
assert_eq always "$(cat "$T/seen")"
: >"$T/seen"
ok hooked --annotation org.x=yes -v "$T:/m" "$IMG" /bin/sh -c true
within 20 eval '[ "$(sort <"$T/seen" | tr "\n" " ")" = "always bound noted shell " ]'
# A hook file that cannot be used is an error with its name, not passed over.
echo '{"version":"7"}' >"$T/hooks/x.json"
expect_exit 125 hooked "$IMG" true
is_podman || assert_match 'x.json' "$err"
