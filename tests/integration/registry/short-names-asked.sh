#!/bin/bash
# A short name that may stand for several images: on a terminal a person chooses, and is asked once; what cannot be pulled is not kept.
# needs: user
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-registry.sh"
export CONTAINERS_REGISTRIES_CONF=$T/registries.conf CONTAINERS_REGISTRIES_CONF_DIR=$T/none XDG_CACHE_HOME=$T/cache
aliases=$T/cache/containers/short-name-aliases.conf
start_registry one
one=$R
start_registry two
two=$R
layered_image app 1
ok skopeo copy -q --dest-tls-verify=false "oci:$T/app" "docker://$two/team/app:1"
conf() {
  {
    printf 'unqualified-search-registries = ["%s", "%s"]\nshort-name-mode = "%s"\n' "$one" "$two" "$1"
    printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$one" "$two"
  } >registries.conf
}
typed() { # KEYS ARGUMENT...: the keys come when the question is there
  local keys=$1
  shift
  rm -f seen  # or the question of the time before is taken for this one's
  mkfifo keys && exec 8<>keys
  on_terminal "$@" <&8 >seen 2>&1 8>&- &
  local pid=$!
  within 60 grep -q 'Please select an image' seen
  printf '%b' "$keys" >&8
  code=0
  wait "$pid" || code=$?
  exec 8>&-
  rm keys
}

for mode in enforcing permissive; do
  conf $mode
  # the first has no such image
  typed '\r' pull team/app:1
  assert_eq 125 $code "$mode: exit code"
  assert_match "initializing source docker://$one/team/app:1: .*unknown" "$(cat seen)"
  [ ! -e "$aliases" ] || fail 'a choice that failed is kept'
  typed '\003' pull team/app:1
  assert_eq 125 $code "$mode: exit code of Ctrl-C"
  assert_match 'no image was chosen' "$(cat seen)"
  typed '\033[B\r' pull team/app:1
  assert_eq 0 $code "$mode: exit code of the second"
  assert_eq "$two/team/app:1" "$(minke images --format '{{.Repository}}:{{.Tag}}')"
  assert_match "\"team/app\" = \"$two/team/app\"" "$(cat "$aliases")"
  # and now it is known, with a terminal and without
  ok minke rmi -a
  ok minke pull team/app:1
  assert_match "Resolved \"team/app:1\" as an alias \\($aliases\\)" "$err"
  on_terminal pull team/app:1 </dev/null >seen
  assert_no_match 'Please select' "$(cat seen)"
  ok minke rmi -a
  rm "$aliases"
done
# build asks too, and shows what it does around the question
mkdir ctx
printf 'FROM team/app:1\nLABEL a=b\n' >ctx/Containerfile
typed 'j\r' build --network none -t made ctx
assert_eq 0 $code "exit code of build: $(cat seen)"
assert_match "$two/team/app:1" "$(minke images --format '{{.Repository}}:{{.Tag}}')"
ok minke rmi -af
rm "$aliases"
# run asks too; without a terminal, and in the mode disabled, nobody is asked
typed 'j\r' run --rm --network none team/app:1 nosuch
assert_match "$two/team/app:1" "$(minke images --format '{{.Repository}}:{{.Tag}}')"
ok minke rmi -af
rm "$aliases"
ok minke pull team/app:1
assert_match "Resolving \"team/app:1\" using unqualified-search registries \\($T/registries.conf\\)" "$err"
[ ! -e "$aliases" ] || fail 'what nobody chose is kept'
conf disabled
on_terminal pull team/app:1 </dev/null >seen
assert_no_match 'Please select' "$(cat seen)"
conf enforcing
assert_error 125 'short-name resolution enforced but cannot prompt without a TTY' minke pull team/app:1
