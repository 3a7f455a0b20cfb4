#!/bin/bash
# rm of a large container is a rename; a helper empties the trash, and what a killed one left goes with the next rm.
. "$(dirname "$0")/../../lib.sh"
need_image

ok minke run --name big --network none "$IMG" sh -c 'mkdir /b; cd /b; i=0; while [ $i -lt 3000 ]; do : >f$i; i=$((i + 1)); done'
ok minke rm big
expect_exit 1 minke container exists big
trash_is_empty() { [ -z "$(ls -A "$T/r/trash")" ]; }
within 60 trash_is_empty

mkdir -p "$T/r/trash/left/sub"
(cd "$T/r/trash/left/sub" && seq 3000 | xargs touch)
ok minke create --name c "$IMG" true
ok minke rm c
within 60 trash_is_empty

# While one helper is at work there is no second.
mkdir -p "$T/u/trash" "$T/r/trash/left"
(cd "$T/r/trash/left" && seq 3000 | xargs touch)
cat >"$T/hold.py" <<'P'
import fcntl, struct, sys, time
file = open(sys.argv[1], "w")
fcntl.fcntl(file, 37, struct.pack("hhqqixxxx", fcntl.F_WRLCK, 0, 0, 0, 0))  # F_OFD_SETLK
print("held", flush=True)
time.sleep(1000)
P
need_program python3
python3 "$T/hold.py" "$T/u/trash/lock" >"$T/held" &
within 20 grep -q held "$T/held"
ok minke system empty-trash
[ -n "$(ls -A "$T/r/trash")" ] || fail 'emptied by a second one'
kill %1; wait %1 2>/dev/null || true
ok minke system empty-trash
trash_is_empty || fail 'not emptied'
