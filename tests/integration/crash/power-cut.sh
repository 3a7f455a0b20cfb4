#!/bin/bash
# needs: root
# The power goes at any barrier, with any part of what a disk's cache held after it: the state opens, what it
# lists is whole, and containers of it run. All writes below the file system are recorded and replayed.
. "$(dirname "$0")/../../lib.sh"
is_podman && skip 'a matter of files of minke'
disk=${BIN%/bin}/test/powerdisk
[ -x "$disk" ] || skip 'built without libfuse3-dev'
need_program mkfs.ext4
[ -e /dev/fuse ] || skip 'no /dev/fuse'
loops=()
detach() {
  umount -l "$T/now" 2>/dev/null
  [ ${#loops[@]} = 0 ] || losetup -d "${loops[@]}" 2>/dev/null
  umount -l "$T/disk" 2>/dev/null
}
trap 'code=$?; set +e; detach; (exit $code); cleanup' EXIT
attach() { # FILE FOLDER
  local loop
  loop=$(losetup --find --show "$1" 2>/dev/null) || skip 'no loop devices here'
  loops+=("$loop")
  mount -t ext4 "$loop" "$2"
}
release() { # FOLDER
  umount "$1"
  losetup -d "${loops[-1]}"
  unset 'loops[-1]'
}

truncate -s 96M base
mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 base || skip 'no ext4'
mkdir disk now
cp --sparse=always base served
"$disk" serve served log disk &
within 20 test -e disk/disk
attach disk/disk now

# --- what is recorded: a little of everything that commits
engine_options=(--root "$T/now/r" --runroot "$T/u")
ok minke load -q -i "$IMAGES/busybox.tar"
ok minke volume create --label a=b kept
ok minke create --name first -v kept:/v --network none "$IMG" sh -c 'echo first; echo more >>/v/file'
ok minke start -a first
ok minke tag "$IMG" localhost/other:1
ok minke run -d --name second --network none "$IMG" sh -c 'echo x >/written; sleep 1000'
within 30 minke exec second test -s /written
ok minke stop -t 0 second
ok minke export -o "$T/tree.tar" second
ok minke import -q "$T/tree.tar" localhost/imported:1
ok minke run --rm --network none localhost/imported:1 cat /written
ok minke rm second
ok minke rmi localhost/other:1
ok minke volume create gone
ok minke volume rm gone
ok minke run -d --rm --name fourth --network none "$IMG" sleep 1000
ok minke volume create barrier
ok minke stop -t 0 fourth
ok minke create --name third --network none "$IMG" true
sync now
engine_options=(--root "$T/r" --runroot "$T/u")
release now
# A mount namespace that another process made meanwhile may hold the loop device a little longer.
within 60 umount disk
barriers=$("$disk" barriers log)
[ "$barriers" -gt 20 ] || fail "only $barriers barriers were recorded"

check() { # SEED: of the state in $T/now
  local name list
  engine_options=(--root "$T/now/r" --runroot "$T/u2")
  rm -rf "$T/u2"
  ok minke ps -a --format '{{.Names}}'
  assert_eq '' "$err" 'said by ps'
  list=$out
  for name in $list; do
    ok minke inspect "$name"
    case $name in
      second | fourth) ok minke start "$name" ;;
      *) ok minke start -a "$name" ;;
    esac
    [ "$name" != first ] || assert_eq first "$out" 'what first says'
  done
  ok minke images --format '{{.Repository}}:{{.Tag}}'
  assert_eq '' "$err" 'said by images'
  for name in $out; do ok minke run --rm --network none "$name" true; done
  ok minke volume ls -q
  for name in $out; do ok minke volume inspect "$name"; done
  # and goes on: the same image, the same names
  ok minke load -q -i "$IMAGES/busybox.tar"
  ok minke rm -fa -t 0
  ok minke run --rm --name first --network none "$IMG" echo on
  assert_eq on "$out"
  engine_options=(--root "$T/r" --runroot "$T/u")
}
states=${MINKE_POWER_CUTS:-16}
for ((i = 0; i < states; i++)); do
  n=$((barriers * (i + 1) / states))
  for seed in 0 $((i + 1)); do
    # A file of its own for each: mount namespaces of other processes may keep the last one mounted a little longer.
    cp --sparse=always base image.$n.$seed
    "$disk" cut log image.$n.$seed $n $seed
    attach image.$n.$seed now || fail "state $n.$seed cannot be mounted"
    echo "state $n of $barriers, seed $seed"
    [ -d now/r ] || mkdir now/r
    check
    release now
    rm image.$n.$seed
  done
done
