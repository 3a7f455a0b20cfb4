#!/bin/bash
# git repositories as contexts and as sources of ADD: branches, tags, commits, folders, submodules; nothing in them runs, no password is told.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
is_podman && skip 'podman 4.3 has no git in ADD'
need_program git
[ -x "$(git --exec-path)/git-daemon" ] || skip 'no git daemon'
need_image
export HOME=$T/home GIT_CONFIG_NOSYSTEM=1
mkdir -p home srv/sub
git config --global user.name t
git config --global user.email t@example.test
git config --global init.defaultBranch main
git config --global advice.detachedHead false
commit() { git -C "$1" add -A 2>/dev/null && git -C "$1" commit -q -m x; }

git init -q srv/sub.git && echo module >srv/sub.git/module && commit srv/sub.git
git init -q srv/x.git
mkdir -p srv/x.git/app
printf 'FROM localhost/busybox\nCOPY . /ctx\n' >srv/x.git/Dockerfile
printf 'FROM localhost/busybox\nCOPY inside /inside\n' >srv/x.git/app/Containerfile
echo first >srv/x.git/file
echo inside >srv/x.git/app/inside
ln -s /etc srv/x.git/out
commit srv/x.git
git -C srv/x.git tag -a -m v1 v1
first=$(git -C srv/x.git rev-parse HEAD)
for _ in 1 2 3 4 5; do
  port=$((20000 + RANDOM % 12000))
  git daemon --reuseaddr --listen=127.0.0.1 --port=$port --export-all --base-path="$T/srv" "$T/srv" 2>daemon.log &
  daemon=$!
  within 20 eval '[ -n "$(ss -Htln "sport = :$port")" ]' && kill -0 $daemon && break
done
trap 'code=$?; set +e; kill $daemon; wait $daemon 2>/dev/null; (exit $code); cleanup' EXIT
url=git://127.0.0.1:$port/x.git
printf '[submodule "m"]\n\tpath = m\n\turl = ../sub.git\n' >srv/x.git/.gitmodules
git -C srv/x.git -c protocol.file.allow=always clone -q "$T/srv/sub.git" m
echo second >srv/x.git/file
commit srv/x.git
git -C srv/x.git branch other v1^{}

# contexts
ok minke build --network none -t whole "$url"
ok run whole sh -c 'cat /ctx/file /ctx/m/module; ls -A /ctx; ls -A /ctx/m'
assert_eq $'second\nmodule\n.gitmodules\nDockerfile\napp\nfile\nm\nout\nmodule' "$out"
ok minke build --network none -t part "$url#v1:app"
ok run part cat /inside
assert_eq inside "$out"
ok minke build --network none -t old "$url#$first"
ok run old cat /ctx/file
assert_eq first "$out"
ok minke build --network none -t kept --build-arg BUILDKIT_CONTEXT_KEEP_GIT_DIR=1 "$url#other"
ok run kept cat /ctx/.git/config
assert_match "url = $url" "$out"
assert_error 125 'git fetch nosuch: ' minke build "$url#nosuch"
assert_error 125 'no folder "nosuch" in the repository' minke build "$url#main:nosuch"
expect_exit 125 minke build "$url#main:out"
printf 'FROM localhost/busybox\nCOPY --from=g file /f\n' >C
ok minke build --network none -t named --build-context "g=$url#v1" -f C home
ok run named cat /f
assert_eq first "$out"

# ADD
build -t added <<E
FROM localhost/busybox
ADD $url#main /whole
ADD --chown=5:6 $url#v1:app /part/
ADD --keep-git-dir=true --checksum=${first:0:12} $url#v1 /kept
E
ok run added sh -c 'cat /whole/file /whole/m/module /part/inside; ls -d /whole/.git 2>&1; cat /kept/.git/HEAD; stat -c "%u:%g %a" /part/inside; readlink /whole/out'
assert_eq $'second\nmodule\ninside\nls: /whole/.git: No such file or directory\n'"$first"$'\n5:6 644\n/etc' "$out"
printf 'FROM localhost/busybox\nADD %s#main /x\n' "$url" | build
printf 'FROM localhost/busybox\nADD %s#main /x\n' "$url" | build
grep -q CACHED build.err
echo third >srv/x.git/file
commit srv/x.git
printf 'FROM localhost/busybox\nADD %s#main /x\n' "$url" | build
! grep -q CACHED build.err || fail 'a new commit is another step'
printf 'FROM localhost/busybox\nADD --checksum=%s %s#main /x\n' "$first" "$url" >C
assert_error 125 "its commit is .*, not $first" minke build --network none -f C empty
# no context is needed for it
minke build --network none - <<<$'FROM localhost/busybox\nADD '"$url /x" >/dev/null 2>&1

# a submodule may not lead into this machine, and what the server refuses is said without the password
git -C srv/x.git config -f .gitmodules submodule.m.url "$T/srv/sub.git"
commit srv/x.git
assert_error 125 "transport 'file' not allowed" minke build --network none "$url"
expect_exit 125 minke build "git://user:sesame@127.0.0.1:$port/none.git"
assert_no_match sesame "$err"
mkdir bin
assert_error 125 'need the program git' env PATH="$T/bin" "$MINKE" "${engine_options[@]}" build "$url"
nothing_staged
