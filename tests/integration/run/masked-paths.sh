#!/bin/bash
# Parts of /proc and /sys are hidden or read-only by default.
. "$(dirname "$0")/../../lib.sh"
need_image

probe paths --
for path in /proc/kcore /proc/keys /proc/timer_list /proc/acpi /proc/scsi /sys/firmware; do
  assert_match '^(absent|unreadable|empty(,writable)?)$' "$(field "$out" ".paths[\"$path\"]")" "$path"
done
for path in /proc/sys/kernel/hostname /proc/sysrq-trigger /proc/irq /proc/bus /proc/fs; do
  assert_no_match 'writable' "$(field "$out" ".paths[\"$path\"]")" "$path"
done
