#!/bin/bash
# What a layer holds arrives as it was: links, modes, set-id bits, owners, times, long names,
# sparse files.
. "$(dirname "$0")/../../lib.sh"
mkdir -p l/d
echo x >l/d/file; ln l/d/file l/d/hard; ln -s file l/d/soft; ln -s /nowhere l/d/dangling
chmod 6751 l/d/file; mkdir -m 1777 l/d/sticky; mkdir -m 2755 l/d/setgid; mkfifo l/d/fifo
touch -d @1000000000 l/d/file
long=$(printf 'n%.0s' {1..200}); mkdir "l/d/$long"; echo long >"l/d/$long/$long"
truncate -s 30M l/d/sparse
busybox_image i.tar localhost/kinds:latest '{"Env":["PATH=/bin"]}' l
ok minke load -q -i i.tar

ok run localhost/kinds:latest sh -c "cd /d; stat -c '%a %h %s' file; readlink soft; readlink dangling; stat -c %a sticky setgid; test -p fifo && echo fifo; cat */nnn*; stat -c %s sparse; stat -c %Y file; stat -c '%u:%g' file"
assert_eq $'6751 2 2\nfile\n1777\n2755\nfifo\nlong\n31457280\n1000000000\n0:0' "$(grep -v nowhere <<<"$out")"
