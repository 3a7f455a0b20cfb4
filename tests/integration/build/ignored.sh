#!/bin/bash
# What the ignore file names is not in the context: which file counts, what brings back, what a change of an ignored file means for the cache.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../lib-build.sh"
need_image
mkdir -p ctx/node_modules/x ctx/logs/deep
touch ctx/keep ctx/a.log ctx/logs/deep/{b.log,keep.log} ctx/node_modules/x/y
printf '# comment\n**/*.log\n!**/keep.log\nnode_modules\nContainerfile*\n.dockerignore\n.containerignore\n' >ctx/.dockerignore
printf 'FROM localhost/busybox\nCOPY . /all\n' >ctx/Containerfile
files() { run "$1" sh -c 'cd /all && find . -type f | sort | tr "\n" " "'; }
ok minke build --network none -t made ctx
assert_eq './keep ./logs/deep/keep.log ' "$(files made)"
printf 'FROM localhost/busybox\nCOPY a.log /x\n' >C
expect_exit 125 minke build --network none -f C ctx
assert_match 'o such file' "$err"
# .containerignore before .dockerignore, the Containerfile's own before both, --ignorefile before all
echo 'logs' | cat - ctx/.dockerignore >ctx/.containerignore
sed -i '/keep.log/d' ctx/.containerignore
ok minke build --network none -t made ctx
assert_eq './keep ' "$(files made)"
is_podman && exit 0
printf '*\n!a.log\n' >ctx/Containerfile.dockerignore
ok minke build --network none -t made ctx
assert_eq './a.log ' "$(files made)"
printf '*\n!node_modules/x\n' >ignore
ok minke build --network none -t made --ignorefile ignore ctx
assert_eq './node_modules/x/y ' "$(files made)"
echo changed >ctx/a.log
ok minke build --network none -t made --ignorefile ignore ctx
assert_match 'CACHED' "$err"
printf 'a[\n' >ignore
assert_error 125 'ignore:1: bad pattern' minke build --network none --ignorefile ignore ctx
