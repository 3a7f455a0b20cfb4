# shellcheck shell=bash
# For tests of build, behind lib.sh: contexts in $T, Containerfiles from standard input.

# build [OPTIONS] <CONTAINERFILE: in an empty context without network; what it says is in build.err, the id in build.id.
build() {
  mkdir -p "$T/empty"
  cat >"$T/Containerfile"
  minke build --network none -f "$T/Containerfile" "$@" "$T/empty" >"$T/build.out" 2>"$T/build.err" || {
    local code=$?
    cat "$T/build.err" >&2
    return $code
  }
  tail -n 1 "$T/build.out" >"$T/build.id"
}

# config IMAGE FILTER: a part of the image's configuration, by jq.
config() { minke image inspect "$1" | jq -rc ".[0].Config$2"; }

# tree IMAGE: every file with mode, owner, size and link, but for what the engine shows.
tree() {
  run "$1" find / -xdev ! -path '/proc*' ! -path '/sys*' ! -path '/dev*' ! -path '/run*' ! -path /etc/hosts \
    ! -path /etc/hostname ! -path /etc/resolv.conf -exec stat -c '%n %A %u:%g %F' {} + | sort
}

# nothing_staged: a build leaves nothing but its cache.
nothing_staged() {
  assert_eq '' "$(ls -A "$T/r/staging")" 'staging'
  assert_eq '' "$(ls -A "$T/u/builds")" 'folders of builds'
  assert_eq '' "$(ls -A "$T/r/containers")" 'containers'
}
