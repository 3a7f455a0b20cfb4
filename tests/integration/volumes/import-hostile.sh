#!/bin/bash
# A hostile archive, and links that a container has made, write nothing outside of the volume.
. "$(dirname "$0")/../../lib.sh"
need_image
need_program python3

mkdir "$T/canary"; echo safe >"$T/canary/f"; chmod 777 "$T/canary"
ok run -v v:/d "$IMG" sh -c "ln -s $T/canary /d/out; ln -s ../../../../../../../../../..$T/canary /d/up"
python3 - "$T" <<'P'
import io, sys, tarfile
top = sys.argv[1]
def archive(name, *entries):
    with tarfile.open(f"{top}/{name}.tar", "w") as tar:
        for path, kind, link in entries:
            info = tarfile.TarInfo(path)
            info.type, info.linkname = kind, link
            data = b"hostile\n" if kind == tarfile.REGTYPE else b""
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
R, S, L = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
archive("dots", ("../../../../../canary/f", R, ""))
archive("absolute", (f"{top}/canary/f", R, ""))
archive("link", ("x", S, f"{top}/canary"), ("x/f", R, ""))
archive("made", ("out/f", R, ""))
archive("made-up", ("up/f", R, ""))
archive("hard", ("h", L, f"../../../../canary/f"), ("h", R, ""))
archive("hard-link", ("h", L, "out/f"), ("h", R, ""))
P
for name in dots absolute link made made-up hard hard-link; do
  minke volume import v "$T/$name.tar" >"$T/.o" 2>"$T/.e" || true
  assert_eq safe "$(cat "$T/canary/f")" "$name"
  assert_eq f "$(ls "$T/canary")" "$name"
done
# The same while a container swaps the folder for a link.
python3 - "$T" <<'P'
import io, sys, tarfile
with tarfile.open(f"{sys.argv[1]}/many.tar", "w") as tar:
    for i in range(300):
        info = tarfile.TarInfo(f"a/b/f{i}")
        info.size = 8
        tar.addfile(info, io.BytesIO(b"hostile\n"))
P
ok start --name c -v v:/d "$IMG" sh -c "mkdir -p /d/a/b; echo ready
  while :; do mv /d/a/b /d/q; ln -s $T/canary /d/a/b; rm -f /d/a/b; mv /d/q /d/a/b; done 2>/dev/null"
within 20 eval 'minke logs c | grep -q ready'
for _ in $(seq 15); do minke volume import v "$T/many.tar" >"$T/.o" 2>"$T/.e" || true; done
assert_eq f "$(ls "$T/canary")" 'while it was swapped'
ok minke rm -f -t 0 c
