#!/bin/bash
# Every file of ours, one after the other, becomes garbage, empty, or NULs as after a power cut: nothing hangs or dies, what is
# said is a line each, what has nothing to do with the file works, and with the file back all is as before.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'a matter of files of minke'
need_image

mkdir l
echo of-other >l/mark
busybox_image other.tar localhost/other:latest '{"Env":["PATH=/bin"]}' l
ok minke load -q -i other.tar
start --name up -v v:/d "$IMG" sleep 100000 >/dev/null
ok minke run --name ended -v w:/d --network none "$IMG" echo said
ok minke run --name other --network none localhost/other:latest cat /mark
start --name checked --health-cmd true --restart always "$IMG" sleep 100000 >/dev/null
ok minke exec -d up sleep 100000
echo x >"$T/s"
ok minke secret create s "$T/s"
echo y >"$T/s"
ok minke secret create t "$T/s"

# What a file has to do with: an object's name, or "all".
owner_of() {
  local part=${1#*/containers/}
  case $1 in
    */containers/*) minke inspect --format '{{.Name}}' "${part%%/*}" ;;
    */volumes/*) part=${1#*/volumes/}; echo "volume ${part%%/*}" ;;
    */secrets/*.d/*) part=${1#*/secrets/}; echo "secret ${part%%.d/*}" ;;
    *) echo all ;;
  esac
}

# say WHAT COMMAND...: in time, not by a signal, in few lines, and never a failure without a word.
said='' code=0
say() {
  code=0
  timeout 60 "$MINKE" "${engine_options[@]}" "${@:2}" >"$T/.out" 2>"$T/.err" </dev/null || code=$?
  said=$(tr -d '\0' <"$T/.out")
  # 124: too late; above 125: by a signal
  [ $code -lt 124 ] || [ $code = 125 ] || fail "$1: exit code $code of ${*:2}: $(cat "$T/.err")"
  [ "$(wc -l <"$T/.err")" -le 3 ] || fail "$1: too many words of ${*:2}: $(cat "$T/.err")"
  [ $code = 0 ] || [ -s "$T/.err" ] || fail "$1: ${*:2} failed without a word"
}
works() { # WHAT WANTED-REGEX COMMAND...
  say "$1" "${@:3}"
  [ $code = 0 ] || fail "$1: ${*:3}: $(cat "$T/.err")"
  [[ $said =~ $2 ]] || fail "$1: ${*:3} said: $said"
}

look() { # FILE OWNER
  local what=$1 owner=$2
  if [ "$owner" = all ]; then
    # no promise but an answer, or one line why there is none
    while read -ra words; do say "$what" "${words[@]}"; done <<<$'ps -a\nimages\nvolume ls\nsecret ls\ninspect up\nstart -a ended'
    return 0
  fi
  works "$what" . images
  say "$what" ps -a --format '{{.Names}}'
  for name in up ended other; do
    [ "$owner" = "$name" ] || grep -qx "$name" <<<"$said" || fail "$what: ps hides $name: $said $(cat "$T/.err")"
  done
  [ "$owner" = other ] || works "$what" of-other start -a other
  [ "$owner" = up ] || works "$what" in exec up echo in
  works "$what" fresh run --rm --network none "$IMG" echo fresh
  say "$what" volume ls
  say "$what" secret ls
  case $owner in
    volume\ * | secret\ *) say "$what" "${owner% *}" inspect "${owner#* }" ;;
    *) say "$what" inspect "$owner"; say "$what" logs "$owner"; say "$what" port "$owner" ;;
  esac
}

files() {
  find "$T/r" "$T/u" \( -path '*/diff' -o -path '*/_data' -o -path '*/upper' -o -path '*/work' -o -name trash -o -name staging \) -prune \
    -o -type f -size -64k -print | sort
}
files >list
[ "$(wc -l <list)" -gt 40 ] || fail "only these files: $(cat list)"
while read -r file; do
  [ -e "$file" ] || continue
  owner=$(owner_of "$file")
  cp -p "$file" kept
  for kind in garbage empty nuls; do
    case $kind in
      garbage) printf '}\x01\xff garbage {"id":\n' >"$file" ;;
      empty) : >"$file" ;;
      nuls) head -c 512 /dev/zero >"$file" ;;
    esac
    look "$kind in ${file#"$T/"}" "$owner"
  done
  cat kept >"$file" || fail "$file has gone"
done <list

# With every file as it was, everything is as it was; what was taken for dead may be started.
ok minke system check --repair
ok minke system check
ok minke start -a other
assert_eq of-other "$out"
for name in up checked; do
  ok minke rm -f -t 0 "$name"
done
ok minke inspect ended
ok minke secret inspect --showsecret s
