#!/bin/bash
# The six hooks run in the specification's order, in the bundle's folder; what follows when one fails is the specification's as well.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-runtime.sh"
cat >"$T/hook" <<H
#!/bin/sh
read -r state; case \$state in *running*) s=running ;; *stopped*) s=stopped ;; *creating*) s=creating ;; *) s=created ;; esac
echo "\$1 \$s" >>"$T/seen" 2>/dev/null || echo "\$1 \$s" >>/tmp/seen
[ "\$1" = startContainer ] || pwd >>"$T/folders"
exit \${2:-0}
H
chmod 755 "$T/hook"
kinds='prestart createRuntime createContainer startContainer poststart poststop'
# with_hooks NAME ARGS [KIND]: a bundle with all six, KIND failing with 7
with_hooks() {
  local kind hooks='{}' path
  for kind in $kinds; do
    path=$T/hook
    [ $kind != startContainer ] || path=/bin/hook
    hooks=$(jq ".$kind = [{path: \"$path\", args: [\"hook\", \"$kind\", \"$([ $kind != "${3:-}" ] || echo 7)\"]}]" <<<"$hooks")
  done
  bundle "$1" ".process.args = $2 | .root.readonly = false | .hooks = $hooks"
  cp "$T/hook" "$T/$1/rootfs/bin/hook"
  mkdir -p "$T/$1/rootfs$T" && chmod 777 "$T/$1/rootfs$T" "$T/$1/rootfs/tmp"
  rm -f "$T/seen" "$T/folders"
}
seen() { tr '\n' ' ' <"$T/seen"; }

with_hooks all '["cat", "'"$T"'/seen"]'
ok rt run --bundle "$T/all" c
assert_eq 'startContainer created' "$out"
assert_eq 'prestart creating createRuntime creating createContainer creating poststart running poststop stopped ' "$(seen)"
assert_eq "$T/all" "$(sort -u "$T/folders")" 'folder of the hooks'

# A failure before the program runs: nothing of it remains, and the poststop hooks take back what others did.
for kind in prestart createRuntime createContainer startContainer; do
  with_hooks $kind '["true"]' $kind
  assert_error 1 "^$kind hook .*/hook: ended with status 7\$" rt run --bundle "$T/$kind" c
  assert_match 'poststop stopped $' "$(seen)"
  assert_eq '' "$(rt list -q)"
done

# One behind the start stops the container.
with_hooks late '["sleep", "1000"]' poststart
ok rt create --bundle "$T/late" c </dev/null
assert_error 1 'poststart hook .*: ended with status 7' rt start c
within 20 eval '[ "$(rt state c | jq -r .status)" = stopped ]'
ok rt delete c
assert_match 'poststop stopped $' "$(seen)"

# One after the end is a warning, and the next one runs.
with_hooks last '["sh", "-c", "exit 4"]' poststop
jq '.hooks.poststop += [.hooks.poststop[0] | .args[2] = "0"]' "$T/last/config.json" >"$T/new" && mv "$T/new" "$T/last/config.json"
assert_error 4 '^warning: poststop hook .*: ended with status 7$' rt run --bundle "$T/last" c
assert_match 'poststop stopped poststop stopped $' "$(seen)"
assert_eq '' "$(rt list -q)"
