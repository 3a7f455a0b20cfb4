# shellcheck shell=bash
# What every test script starts with: . "$(dirname "$0")/../../lib.sh"
#
# The runner (tests/run) sets, and a test may use:
#   MINKE      the program under test (a podman works too: MINKE=podman settles what compatible means)
#   BIN        the folder with minke, minke-monitor, minke-runtime, minke-image
#   PROBE      the probe program (static; also /bin/probe in the busybox image)
#   PTY        runs a command on a terminal: echo input | "$PTY" 24x80 COMMAND
#   IMAGES     the folder with busybox.tar, debian.tar, debian-rootfs.tar
# Here is added:
#   T          the test's own scratch folder; removed afterwards
#   IMG        the name of the busybox image (after `need_image`)
# A failed command ends the test (set -e); `expect_exit` and the assertions say what was different.

set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C TERM=dumb

: "${MINKE:=minke}"
# Unix socket addresses hold 108 bytes, so the folder's name is short.
T=$(mktemp -d "${TEST_TMP:-${TMPDIR:-/var/tmp}}/t.XXXXXX")
# The mapped users of rootless containers pass through it.
chmod 711 "$T"
cd "$T"
IMG=localhost/busybox:latest
if [ "$(id -u)" != 0 ]; then
  # a login of this test's own: what one login's commands share is not shared with other tests
  export XDG_RUNTIME_DIR=$T/x
  mkdir -m 700 "$T/x"
fi
is_root() { [ "$(id -u)" = 0 ]; }
is_podman() { [[ ${MINKE##*/} = podman* ]]; }

if is_podman; then
  printf '[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=20000:20000"]\n' >"$T/containers.conf"
  export CONTAINERS_CONF=$T/containers.conf
  engine_options=(--root "$T/r" --runroot "$T/u" --tmpdir "$T/m" --cgroup-manager cgroupfs
    --storage-driver overlay --events-backend file --log-level error)
else
  engine_options=(--root "$T/r" --runroot "$T/u")
fi

# The engine, with state of this test's own.
minke() { command "$MINKE" "${engine_options[@]}" "$@"; }

# The same on a terminal; standard input is what is typed there.
on_terminal() { "$PTY" 24x80 "$MINKE" "${engine_options[@]}" "$@"; }

# The engine in the background, as the process $client itself (a function's $! would be a shell).
background() {
  "$MINKE" "${engine_options[@]}" "$@" &
  # shellcheck disable=SC2034 # for the caller
  client=$!
}

# A container of the busybox image without network, in the foreground and removed; or in the background.
run() { minke run --rm --network none "$@"; }
start() { minke run -d --network none "$@"; }

fail() {
  printf 'FAILED at line %s: %s\n' "${BASH_LINENO[-2]:-?}" "$*" >&2
  exit 1
}

# skip REASON: what is missing here; counted as skipped, never as passed.
skip() {
  printf 'SKIPPED: %s\n' "$*" >&2
  exit 77
}

# A build with a sanitizer: it is slower, and memory is not what it will be.
is_sanitized() { grep -qE 'lib[at]san' <<<"$(ldd "$BIN/minke")"; }
# For a subshell: at most so many KiB of address space.
bound_memory() { is_sanitized || ulimit -v "$1"; }

need_program() { command -v "$1" >/dev/null || skip "program $1 is not installed"; }

# expect_exit CODE COMMAND...: runs it; its output is in $out, what it said on stderr in $err.
out='' err='' rc=0
expect_exit() {
  local want=$1
  shift
  rc=0
  "$@" >"$T/.out" 2>"$T/.err" </dev/null || rc=$?
  out=$(tr -d '\0' <"$T/.out") err=$(tr -d '\0' <"$T/.err")
  [ "$rc" = "$want" ] || fail "exit code $rc, not $want: $*
--- stdout
$out
--- stderr
$err"
}
ok() { expect_exit 0 "$@"; }

assert_eq() { # WANT GOT [WHAT]
  [ "$1" = "$2" ] || fail "${3:-value} differs
--- want
$1
--- got
$2"
}

assert_match() { # REGEX TEXT [WHAT]
  [[ $2 =~ $1 ]] || fail "${3:-text} does not match $1
--- got
$2"
}

assert_no_match() { # REGEX TEXT [WHAT]
  [[ ! $2 =~ $1 ]] || fail "${3:-text} matches $1
--- got
$2"
}

# assert_error CODE REGEX COMMAND...: fails with CODE and one clear line.
assert_error() {
  local code=$1 regex=$2
  shift 2
  expect_exit "$code" "$@"
  assert_match "$regex" "$err" 'message'
}

# forget_user USER, at the end of a test: removes the account, and all of its processes before (what holds a login's namespace would
# outlive it). Hands on the exit code that it finds.
forget_user() {
  local code=$? i
  pkill -KILL -u "$1"
  for ((i = 0; i < 100; i++)); do
    userdel "$1" 2>"$T/.userdel" && return $code
    sleep 0.1
  done
  cat "$T/.userdel" >&2
  return 1
}

# within SECONDS COMMAND...: until it succeeds; the machine may be busy, so be generous.
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || fail "not so in time: $*"
    sleep 0.05
  done
}

# field JSON FILTER: one value by jq, as text.
field() { jq -r "$2" <<<"$1"; }

# need_image [busybox|debian]: loads it into this test's own store.
need_image() {
  local name=${1:-busybox}
  [ -e "$IMAGES/$name.tar" ] || skip "no $name image"
  minke load -q -i "$IMAGES/$name.tar" >"$T/.out" 2>&1 || fail "load $name: $(cat "$T/.out")"
}

# probe SECTIONS... -- RUN-OPTIONS...: the probe's report from inside a new container.
probe() {
  local sections=()
  while [ $# -gt 0 ] && [ "$1" != -- ]; do sections+=("$1"); shift; done
  [ $# = 0 ] || shift
  ok minke run --rm --network none "$@" "$IMG" probe report "${sections[@]}"
}

state_of() { minke inspect --format '{{.State.Status}}' "$1"; }
is_running() { [ "$(state_of "$1")" = running ]; }
is_exited() { [ "$(state_of "$1")" = exited ]; }

# make_image TAR NAME CONFIG LAYER-DIR...: a docker-archive with one layer for each folder.
make_image() {
  local tar=$1 name=$2 config=$3 dir layer d diffs='' files=''
  shift 3
  dir=$(mktemp -d "$T/image.XXXXXX")
  for layer; do
    tar -C "$layer" --numeric-owner --owner=0 --group=0 -cf "$dir/layer" .
    d=$(sha256sum "$dir/layer" | cut -d' ' -f1)
    mv "$dir/layer" "$dir/$d.tar"
    diffs+="${diffs:+,}\"sha256:$d\"" files+="${files:+,}\"$d.tar\""
  done
  printf '{"architecture":"amd64","os":"linux","config":%s,"rootfs":{"type":"layers","diff_ids":[%s]}}' "$config" "$diffs" >"$dir/c"
  d=$(sha256sum "$dir/c" | cut -d' ' -f1)
  mv "$dir/c" "$dir/$d.json"
  printf '[{"Config":"%s.json","RepoTags":["%s"],"Layers":[%s]}]' "$d" "$name" "$files" >"$dir/manifest.json"
  tar -C "$dir" -cf "$tar" .
}

# busybox_image TAR NAME CONFIG [LAYER-DIR...]: the same on top of the busybox root.
busybox_image() {
  local tar=$1 name=$2 config=$3
  shift 3
  if [ ! -d "$T/busybox" ]; then
    mkdir "$T/busybox" "$T/busybox.tar"
    tar -C "$T/busybox.tar" -xf "$IMAGES/busybox.tar"
    for layer in $(jq -r '.[0].Layers[]' "$T/busybox.tar/manifest.json"); do
      tar -C "$T/busybox" --no-same-owner -xf "$T/busybox.tar/$layer"
    done
  fi
  make_image "$tar" "$name" "$config" "$T/busybox" "$@"
}

# What a test leaves is a failure of the engine: containers go first, then nothing may be there.
cleanup() {
  local code=$? left
  trap - EXIT ERR
  set +e
  jobs -p | xargs -r kill 2>/dev/null
  wait 2>/dev/null
  if [ -d "$T/r" ] && ! minke rm -fa -t 0 >"$T/.rm" 2>&1; then
    echo "cleanup: $(cat "$T/.rm")" >&2
    [ $code != 0 ] || code=1
  fi
  # bridges stay until their network goes, and root's are the host's
  if is_root && ! is_podman && [ -d "$T/u/networks" ]; then minke system reset -f >/dev/null 2>&1; fi
  left=$(awk -v t=" $T/" 'index($0, t)' /proc/self/mountinfo)
  # podman keeps its storage mounted until the last container is gone
  is_podman && left=$(grep -v " $T/[rm]" <<<"$left")
  if [ -n "$left" ]; then
    printf 'left behind: mounts\n%s\n' "$left" >&2
    [ $code != 0 ] || code=1
  fi
  grep -o " $T/[^ ]*" /proc/self/mountinfo | tac | xargs -r -n1 umount -l 2>/dev/null
  remove_scratch || { echo "left behind: $T" >&2; [ $code != 0 ] || code=1; }
  exit $code
}

# Files of mapped users are removed from inside the user's namespace.
remove_scratch() {
  cd /
  chmod -R u+rwx "$T" 2>/dev/null
  rm -rf "$T" 2>/dev/null || minke unshare rm -rf "$T" 2>/dev/null ||
    unshare --user --map-root-user --map-auto rm -rf "$T" 2>/dev/null || rm -rf "$T"
  [ ! -e "$T" ]
}
trap cleanup EXIT
trap 'exit 143' TERM INT
